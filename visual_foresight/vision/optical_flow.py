"""Tracking points from one frame to another by pyramidal Lucas-Kanade (OpenCV)."""

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
    """Track points to another frame, and check them by tracking them back.

    Args:
        before: The frame in which the points are known.
        after: The other frame.
        places: (row, col) of the points, in pixels.
        window_px: Side of the window that is compared.
        max_return_px: How far from its start a point may be that is tracked back.

    Returns:
        (row, col) of the points in the other frame, and which of them return to their start.
    """
    start = np.ascontiguousarray(places[:, None, ::-1], np.float32)  # OpenCV's order: x, y
    window = (window_px, window_px)
    found, tracked, _ = cv2.calcOpticalFlowPyrLK(
        before, after, start, None, winSize=window, maxLevel=2
    )
    returned, tracked_back, _ = cv2.calcOpticalFlowPyrLK(
        after, before, found, None, winSize=window, maxLevel=2
    )
    missed_px = np.linalg.norm(returned - start, axis=-1)[:, 0]
    sure = (missed_px <= max_return_px) & (tracked[:, 0] == 1) & (tracked_back[:, 0] == 1)
    return found[:, 0, ::-1], sure
