"""Predictor propagation: the pixel is where the executed action was imagined to bring it."""

from dataclasses import dataclass
from typing import Literal

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.types import Clip, Goal, Pixel, Plan
from visual_foresight.vision.pixel_maps import expected, mode


@dataclass(frozen=True)
class Propagate:
    """The pixel is where the previous plan's first step was imagined to bring it.

    "Predictor propagation" in Ebert et al., "Visual Foresight", 2018, section VI: 20 % success on
    long pushes there.
    """

    summary: Literal["mean", "mode"] = "mean"
    """Which place a pixel map stands for: its expected position, or its likeliest cell."""

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return one place per designated pixel (see `interfaces.Locator`)."""
        if isinstance(goal, ImageGoal):
            return ()
        if previous is None:
            return goal.sources
        maps = previous.prediction.pixel_maps[0, 0]
        if len(maps) != len(goal.sources):  # a plan of a controller that imagines nothing
            found_before = len(previous.sources) == len(goal.sources)
            return previous.sources if found_before else goal.sources
        if self.summary == "mean":
            return expected(maps, clip.frame_size)
        return mode(maps, clip.frame_size)
