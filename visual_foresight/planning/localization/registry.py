"""The locators by their names.

A locator sees what the camera saw and what was imagined, never the truth. It keeps nothing
between calls: what it remembers is handed on in `Plan.memory`.
"""

from visual_foresight.interfaces import Locator
from visual_foresight.system.plugins import Registry

LOCATORS = Registry(
    "locator",
    "locators",
    {
        "propagate": "visual_foresight.planning.localization.propagate:Propagate",
        "track": "visual_foresight.planning.localization.track:Track",
    },
    Locator,
)
"""Name -> a class that is built from nothing."""
