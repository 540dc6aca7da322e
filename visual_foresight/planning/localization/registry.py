"""The locators by their names.

A locator sees what the camera saw and the previous plan, never the truth. It keeps nothing
between calls: the frame in which the pixels were designated is handed on in `Plan.reference`.
"""

from visual_foresight.interfaces import Locator
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.planning.localization.track import Track

LOCATORS: dict[str, type[Locator]] = {"propagate": Propagate, "track": Track}
