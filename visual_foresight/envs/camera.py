"""A pinhole camera as pure arithmetic: world point <-> Pixel, and the matrices that a renderer
wants.

The envs look through it; nothing here knows a simulator.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from visual_foresight.types import Pixel


@dataclass(frozen=True)
class Camera:
    """A camera at `eye` looking at `target` (world, metres), with square pixels and a vertical field of view."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view_deg: float
    height: int
    width: int
    near_m: float = 0.1
    far_m: float = 3.0

    @cached_property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Return the unit vectors right, up and forward as rows, in the world."""
        forward = np.subtract(self.target, self.eye)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])

    @cached_property
    def focal_px(self) -> float:
        """Return the focal length in pixels."""
        return float(self.height / 2 / np.tan(np.deg2rad(self.field_of_view_deg) / 2))

    def project(self, point: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen, also outside the frame.

        It must lie in front of the camera.
        """
        right, up, depth = self.axes @ (point - np.asarray(self.eye))
        if depth <= 0:
            raise ValueError(
                f"a point in front of the camera is needed, got depth {depth:.3f} m"
            )
        row = self.height / 2 - 0.5 - self.focal_px * up / depth
        col = self.width / 2 - 0.5 + self.focal_px * right / depth
        return Pixel(float(row), float(col))

    def unproject(self, pixel: Pixel, depth_m: float) -> Float[np.ndarray, "3"]:
        """Return the world point (metres) seen at a pixel at this depth along the viewing axis."""
        right = (pixel.col - self.width / 2 + 0.5) / self.focal_px
        up = (self.height / 2 - 0.5 - pixel.row) / self.focal_px
        return np.asarray(self.eye) + depth_m * (np.array([right, up, 1.0]) @ self.axes)

    def on_plane(self, pixel: Pixel, height_m: float = 0.0) -> Float[np.ndarray, "3"]:
        """Return the world point seen at a pixel on the horizontal plane at this height (metres)."""
        ray = self.unproject(pixel, 1.0) - np.asarray(self.eye)
        return np.asarray(self.eye) + ray * ((height_m - self.eye[2]) / ray[2])

    def homography(self, height_m: float) -> Float[np.ndarray, "3 3"]:
        """Return the map from (row, col, 1) in the frame to (x, y, 1) on the horizontal plane at this height (metres)."""
        rays = self.axes.T @ np.array(
            [
                [0, 1 / self.focal_px, (0.5 - self.width / 2) / self.focal_px],
                [-1 / self.focal_px, 0, (self.height / 2 - 0.5) / self.focal_px],
                [0, 0, 1],
            ]
        )
        drop = height_m - self.eye[2]
        return np.stack(
            [drop * rays[axis] + self.eye[axis] * rays[2] for axis in (0, 1)] + [rays[2]]
        )

    def depth_m(self, buffer: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid"]:
        """Turn an OpenGL depth buffer in [0, 1] into metres along the viewing axis."""
        return self.far_m * self.near_m / (self.far_m - (self.far_m - self.near_m) * buffer)

    def scaled(self, factor: int) -> "Camera":
        """Return the same camera with `factor` times as many pixels a side."""
        return Camera(
            self.eye,
            self.target,
            self.field_of_view_deg,
            self.height * factor,
            self.width * factor,
            self.near_m,
            self.far_m,
        )
