"""Where designated pixels are after the first action of a plan: how controllers ask locators."""

from typing import Any

from visual_foresight.interfaces import Locator
from visual_foresight.types import Clip, Goal, Pixel, Plan


def locate_after(
    previous: Plan | None, locator: Locator, clip: Clip, goal: Goal
) -> tuple[Any, tuple[Pixel, ...]]:
    """Return the locator's memory, and a place in the clip's newest frame per designated pixel.

    Args:
        previous: the plan whose first action was carried out since; None at the first plan.
        locator: whose memory the plan keeps.
        clip: what was seen, newest last.
        goal: its sources are places in the frame that was newest when `previous` was None.
    """
    if previous is None:
        return locator.begin(clip, goal.sources)
    return locator.locate(previous.memory, clip, previous.prediction.pixel_maps[0, 0])
