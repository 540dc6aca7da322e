"""Pictures of a run: its start with the goal's markers, and its end.

The small one of the list has both beside each other, each exactly as wide as the other, so that a
page can show one of them alone.
"""

import cv2
import numpy as np

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.types import Goal, Pixel
from visual_foresight.vision.drawing import GOAL_COLOUR, Frame, Picture, mark

HEIGHT = 128
"""Of the small picture, in pixels."""
UNMARKED_ROWS = 32
"""Markers are as large beside a picture as in an enlarged frame of so many rows."""
INSET = 0.4
"""Share of the start's sides that a goal image takes."""
EDGE = 2
"""Width of the line around a goal image, in pixels."""
QUALITY = 88
"""Of a JPEG, out of 100."""


def run_picture(first: Frame, last: Frame, goal: Goal | None) -> Picture:
    """Draw a run small.

    Args:
        first: its first frame.
        last: its last one.
        goal: what it was for; None if it was for none.
    """
    start = start_picture(first, goal, HEIGHT)
    return np.concatenate([start, resized(last, HEIGHT)], axis=1)


def start_picture(frame: Frame, goal: Goal | None, height: int) -> Picture:
    """Draw the start of a run, with the goal's markers; a goal image is put into a corner.

    Args:
        frame: the run's first one.
        goal: what it was for; None if it was for none.
        height: of the picture, in pixels.
    """
    picture = resized(frame, height)
    if goal is None:
        return picture
    scale = max(round(height / UNMARKED_ROWS), 1)
    ratio = height / len(frame) / scale
    sources = [_moved(pixel, ratio) for pixel in goal.sources]
    targets = [_moved(pixel, ratio) for pixel in goal.targets]
    picture = mark(picture, sources, targets, scale)
    return _with_inset(picture, goal.shown()) if isinstance(goal, ImageGoal) else picture


def resized(frame: Frame, height: int) -> Picture:
    """Return a frame of another height, pixels staying sharp squares where it is enlarged."""
    return _resized(frame, max(round(frame.shape[1] * height / len(frame)), 1), height)


def jpeg(picture: Picture) -> bytes:
    """Return a picture as the content of a file."""
    flags = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    return cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), flags)[1].tobytes()


def _resized(frame: Frame, width: int, height: int) -> Picture:
    way = cv2.INTER_NEAREST if height > len(frame) else cv2.INTER_AREA
    return np.asarray(cv2.resize(frame, (width, height), interpolation=way), np.uint8)


def _moved(pixel: Pixel, ratio: float) -> Pixel:
    """Return where a pixel is in a frame that is so many times as large."""
    return Pixel((pixel.row + 0.5) * ratio - 0.5, (pixel.col + 0.5) * ratio - 0.5)


def _with_inset(picture: Picture, image: Frame) -> Picture:
    """Put a goal image into the lower right corner, framed."""
    height = round(INSET * len(picture))
    widest = picture.shape[1] - 2 * EDGE
    width = max(min(round(height * image.shape[1] / len(image)), widest), 1)
    inset = _resized(image, width, height)
    framed = cv2.copyMakeBorder(
        inset, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_CONSTANT, value=GOAL_COLOUR
    )
    drawn = picture.copy()
    drawn[-len(framed) :, -framed.shape[1] :] = framed
    return drawn
