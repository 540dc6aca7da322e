"""The one way to follow points from a frame to another.

Pyramidal Lucas-Kanade (OpenCV), there and back.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

PROTOCOL = 1
"""Raise it when a change of this file changes where points are followed to."""


def follow(
    before: UInt8[np.ndarray, "h w 3"],
    after: UInt8[np.ndarray, "h w 3"],
    places: Float[np.ndarray, "k 2"],
    window_px: int,
    max_return_px: float,
) -> tuple[Float32[np.ndarray, "k 2"], Bool[np.ndarray, " k"]]:
    """Return where points (row, col) go, and which of them, followed back, come to within `max_return_px` of their start."""
    start = np.ascontiguousarray(places[:, None, ::-1], np.float32)  # OpenCV's order: x, y
    window = (window_px, window_px)
    found, seen, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, None, winSize=window, maxLevel=2
    )
    came_back, returned, _ = cv2.calcOpticalFlowPyrLK(
        after, before, found, None, winSize=window, maxLevel=2
    )
    missed_px = np.linalg.norm(came_back - start, axis=-1)[:, 0]
    return found[:, 0, ::-1], (missed_px <= max_return_px) & (seen[:, 0] == 1) & (
        returned[:, 0] == 1
    )
