"""The cameras of the pushing table: where each one stands, and how it is calibrated."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from visual_foresight.envs.camera import Camera

# Frames are rendered so many times larger, then averaged, against aliasing.
SUPERSAMPLING = 2
# TinyRenderer samples a corner of each pixel, so that what it draws is half a rendered pixel too
# far up and to the right. This is the shift in pixels of a frame.
OFF_PX = 0.5 / SUPERSAMPLING
# The height at which cameras are calibrated: objects are 3 to 4.5 cm high, so this is about the
# height of what a designated pixel shows.
TOUCH_HEIGHT_M = 0.03


@dataclass(frozen=True)
class Mount:
    """Where a camera stands, in the world (metres), and how much it sees."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view_deg: float


MOUNTS = {
    # It faces the robot from 52 degrees above the table. With the long finger, the arm hides
    # 2.5 % of the objects' pixels (10 % at 62 degrees with a finger of 20 cm); no predictor
    # can follow what is hidden.
    "front": Mount((1.34, 0.0, 1.03), (0.535, 0.0, 0.0), 22.0),
    # It looks over the table from the robot's right, 42 degrees above it: steeper, the arm, which
    # comes from the left of its frames, hides more.
    "side": Mount((0.54, -0.95, 0.85), (0.54, 0.0, 0.0), 23.0),
}
"""The cameras by the names of their views; the first one is used where none is named."""


def camera_of(view: str, frame_size: tuple[int, int]) -> Camera:
    """Return the camera of a view, for frames of this (height, width)."""
    mount = MOUNTS[view]
    height, width = frame_size
    return Camera(mount.eye, mount.target, mount.field_of_view_deg, height, width)


def calibration_of(camera: Camera) -> Float[np.ndarray, "3 3"]:
    """Return the homography from a frame to the table, at the height of what is pushed.

    It makes up for the renderer's shift (`OFF_PX`).
    """
    unshifted = np.array([[1.0, 0.0, OFF_PX], [0.0, 1.0, -OFF_PX], [0.0, 0.0, 1.0]])
    return camera.homography(TOUCH_HEIGHT_M) @ unshifted
