"""What is seen at each pixel of a frame, in words, for the person who makes a goal on it.

A world that judges its trials is asked what it shows; no controller sees the answers, and goals on
anything but an object are refused by the same judge. Of other worlds nothing is said.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from visual_foresight.control.judge import require_reachable
from visual_foresight.env_info import EnvInfo
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Env, JudgedEnv
from visual_foresight.types import Pixel, UserError

KINDS = {"background": "the table", "object": "an object", "arm": "the arm"}
"""`kind` of a picked point -> what it is called on the page."""
OUT_OF_REACH = "out of reach"


@dataclass(frozen=True)
class SeenThings:
    """What each pixel of one frame shows."""

    numbers: UInt8[np.ndarray, "h w"]
    """Which of `KINDS`, in their order."""
    info: EnvInfo

    @classmethod
    def of(cls, env: Env) -> "SeenThings | None":
        """Ask an env about each pixel of its present frame; None if it cannot tell."""
        if not isinstance(env, JudgedEnv):
            return None
        height, width = env.info.frame_size
        kinds = list(KINDS)
        numbers = np.zeros((height, width), np.uint8)
        for row, col in np.ndindex(height, width):
            numbers[row, col] = kinds.index(env.pick(Pixel(float(row), float(col))).kind)
        return cls(numbers, env.info)

    def at(self, pixel: Pixel) -> str:
        """Return what a pixel shows: "an object", "the table", "the arm" or "out of reach"."""
        height, width = self.numbers.shape
        if not pixel.inside(height, width):
            return OUT_OF_REACH
        kind = tuple(KINDS)[self.numbers[int(pixel.row), int(pixel.col)]]
        if kind == "background" and not self._is_in_reach(pixel):
            return OUT_OF_REACH
        return KINDS[kind]

    def _is_in_reach(self, pixel: Pixel) -> bool:
        # From elsewhere, because a pixel that stays where it is may be anywhere.
        elsewhere = Pixel(0.0, 0.0) if pixel.row else Pixel(1.0, 0.0)
        try:
            require_reachable(self.info, PixelGoal((elsewhere,), (pixel,)))
        except UserError:
            return False
        return True
