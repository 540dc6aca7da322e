"""A pinhole camera as pure arithmetic: from world points to pixels and back.

Envs render and project with it; nothing here knows a simulator.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float

from visual_foresight.types import Pixel


@dataclass(frozen=True)
class Camera:
    """A camera at `eye` that looks at `target` (world, metres); its pixels are square."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    field_of_view_deg: float
    """From the lower to the upper edge of the frame."""
    height: int
    width: int
    near_m: float = 0.1
    """Depth of the near clipping plane of a renderer."""
    far_m: float = 3.0
    """Depth of the far clipping plane of a renderer."""

    @cached_property
    def axes(self) -> Float[np.ndarray, "3 3"]:
        """Return the camera's unit vectors right, up and forward in the world, as rows."""
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
        """Return where a world point (metres) is seen; the place may lie outside the frame.

        Raises:
            ValueError: the point is not in front of the camera.
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
        """Return the world point (metres) seen at a pixel, at a depth along the viewing axis."""
        right = (pixel.col - self.width / 2 + 0.5) / self.focal_px
        up = (self.height / 2 - 0.5 - pixel.row) / self.focal_px
        return np.asarray(self.eye) + depth_m * (np.array([right, up, 1.0]) @ self.axes)

    def on_plane(self, pixel: Pixel, height_m: float = 0.0) -> Float[np.ndarray, "3"]:
        """Return the world point (metres) seen at a pixel on the horizontal plane at a height."""
        ray = self.unproject(pixel, 1.0) - np.asarray(self.eye)
        return np.asarray(self.eye) + ray * ((height_m - self.eye[2]) / ray[2])

    def homography(self, height_m: float) -> Float[np.ndarray, "3 3"]:
        """Return the homography from (row, col, 1) in the frame to a horizontal plane.

        Args:
            height_m: of the plane; places on it are (x, y, 1) in metres.
        """
        rays = self.axes.T @ np.array(
            [
                [0, 1 / self.focal_px, (0.5 - self.width / 2) / self.focal_px],
                [-1 / self.focal_px, 0, (self.height / 2 - 0.5) / self.focal_px],
                [0, 0, 1],
            ]
        )
        drop_m = height_m - self.eye[2]
        x = drop_m * rays[0] + self.eye[0] * rays[2]
        y = drop_m * rays[1] + self.eye[1] * rays[2]
        return np.stack([x, y, rays[2]])

    def depth_m(self, buffer: Float[np.ndarray, "*grid"]) -> Float[np.ndarray, "*grid"]:
        """Return depths in metres along the viewing axis from an OpenGL depth buffer in [0, 1]."""
        return self.far_m * self.near_m / (self.far_m - (self.far_m - self.near_m) * buffer)

    def scaled(self, factor: int) -> "Camera":
        """Return the same camera with `factor` times as many pixels per side."""
        return replace(self, height=self.height * factor, width=self.width * factor)
