"""What a pixel of the frame shows, and what is wrong with a goal while it is being made.

A person may know what no controller may: where there is a judge, it says what was designated. In
other worlds the picture alone tells the table from what stands on it.
"""

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from visual_foresight.control.judge import require_object, require_reachable
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.interfaces import Env, JudgedEnv
from visual_foresight.types import Pixel, UserError

Frame = UInt8[np.ndarray, "h w 3"]
TABLE = "the table"
SOMETHING = "an object or the arm"
BACKGROUND_PX = 25
"""Side of the window whose median colour is the table's: wider than twice an object."""
DIFFERENCE = 30
"""A pixel that differs from the table's colour by more than this (of 255) is not the table's."""
NEAR_PX = 1
"""What stands this near counts: nobody clicks more exactly."""


def stands_out(frame: Frame) -> Bool[np.ndarray, "h w"]:
    """Return where a frame shows something that stands out from the table, or is beside it."""
    table = cv2.medianBlur(frame, BACKGROUND_PX)
    difference = np.abs(frame.astype(np.int16) - table).max(-1)
    found = (difference > DIFFERENCE).astype(np.uint8)
    around = np.ones((2 * NEAR_PX + 1, 2 * NEAR_PX + 1), np.uint8)
    return np.asarray(cv2.dilate(found, around), bool)


def describe_pixel(frame: Frame, pixel: Pixel) -> str:
    """Return what the picture says of a pixel; nothing outside the frame."""
    height, width, _ = frame.shape
    if not pixel.inside(height, width):
        return ""
    return SOMETHING if stands_out(frame)[round(pixel.row), round(pixel.col)] else TABLE


def remark_on(env: Env, draft: Draft) -> str:
    """Return what is wrong with the pairs so far, in one sentence; nothing if all can be tried.

    Args:
        env: in the present scene.
        draft: places in its frame.
    """
    for pair in draft.pairs:
        try:
            _check(env, pair)
        except UserError as error:
            return str(error)
    return ""


def _check(env: Env, pair: Pair) -> None:
    """Refuse a pair that cannot be planned for (`control.judge.designate` refuses the same)."""
    if pair.keeps_still:
        return
    if isinstance(env, JudgedEnv):
        require_object(env, pair.source)
    elif describe_pixel(env.observe().frame, pair.source) == TABLE:
        raise UserError(
            f"the designated pixel (row {pair.source.row:g}, col {pair.source.col:g}) seems to "
            "show the table: choose one on an object"
        )
    if pair.target is not None:
        require_reachable(env.info, PixelGoal((pair.source,), (pair.target,)))
