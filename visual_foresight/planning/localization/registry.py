"""The locators by their names.

Where is each designated pixel now? The weakest assumption of the method, so it is one
replaceable piece. A locator sees what the camera saw and the previous plan, never the truth,
and keeps nothing between calls: the frame in which the pixels were designated travels in the
plan (`Plan.reference`).
"""

from visual_foresight.interfaces import Locator
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.planning.localization.track import Track

LOCATORS: dict[str, type[Locator]] = {"propagate": Propagate, "track": Track}
