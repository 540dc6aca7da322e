"""Believe the predictor: the pixel is where the executed action was imagined to bring it."""

from dataclasses import dataclass
from typing import Literal

from visual_foresight.types import Clip, Goal, ImageGoal, Pixel, Plan
from visual_foresight.vision.pixel_maps import expected, mode


@dataclass(frozen=True)
class Propagate:
    """Believe the predictor: the pixel is where the executed action was imagined to bring it.

    Ebert et al., "Visual Foresight", 2018, section VI, "predictor propagation"; 20 % success on
    long pushes.
    """

    summary: Literal["mean", "mode"] = "mean"
    """What of the pixel map to believe: its expected position, or its likeliest cell."""

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return one place per designated pixel in the clip's newest frame (see `interfaces.Locator`)."""
        if isinstance(goal, ImageGoal):
            return ()
        if previous is None:
            return goal.sources
        maps = previous.prediction.pixel_maps[0, 0]
        if len(maps) != len(goal.sources):  # a plan of a controller that imagines nothing
            return (
                previous.sources if len(previous.sources) == len(goal.sources) else goal.sources
            )
        frame_size = (clip.frames.shape[-2], clip.frames.shape[-1])
        return expected(maps, frame_size) if self.summary == "mean" else mode(maps, frame_size)
