"""A plane in the world as a calibrated camera sees it.

Homographies, and the plane as complex numbers, x + iy in metres.
"""

import cv2
import numpy as np
import torch
from jaxtyping import Complex, Float, Float64, Real
from torch import Tensor


def apply_homography(
    places: Real[np.ndarray, "*b 2"], homography: Float[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "*b 2"]:
    """Return where a homography takes places (OpenCV).

    Pixels (row, col) to (x, y) in metres, or back by its inverse.
    """
    listed = np.asarray(places, np.float64).reshape(-1, 1, 2)
    if not len(listed):
        return np.zeros(places.shape)
    return cv2.perspectiveTransform(listed, homography).reshape(places.shape)


def as_complex(vectors: Float[Tensor, "*b 2"]) -> Complex[Tensor, "*b"]:
    """Return (x, y) as x + iy."""
    return torch.complex(vectors[..., 0], vectors[..., 1])


def heading(turn: Float[Tensor, "*b"]) -> Complex[Tensor, "*b"]:
    """Return the unit vectors of angles."""
    return torch.polar(torch.ones_like(turn), turn)


def to_pixel(
    places: Complex[Tensor, "*b"], homography: Float[Tensor, "3 3"]
) -> Float[Tensor, "*b 2"]:
    """Return at which (row, col) places are seen, by the homography from (x, y, 1) to (row, col, 1)."""
    rows, cols, scale = (
        a * places.real + b * places.imag + c for a, b, c in homography.unbind()
    )
    return torch.stack([rows / scale, cols / scale], -1)


def to_plane(
    pixels: Float[Tensor, "*b 2"], homography: Float[Tensor, "3 3"]
) -> Complex[Tensor, "*b"]:
    """Return which places are seen at (row, col), by the homography from (row, col, 1) to (x, y, 1)."""
    return as_complex(to_pixel(as_complex(pixels), homography))


def pixel_side(homography: tuple[tuple[float, ...], ...], frame_size: tuple[int, int]) -> float:
    """Return the side of the square on the plane that is as large as what a pixel in the middle of the frame shows."""
    to_plane = torch.tensor(homography, dtype=torch.float64)
    middle = torch.tensor(
        [(frame_size[0] - 1) / 2, (frame_size[1] - 1) / 2, 1.0], dtype=torch.float64
    )
    x, y, scale = to_plane @ middle
    place = torch.stack([x, y]) / scale
    seen = (to_plane[:2, :2] - place[:, None] * to_plane[2, :2]) / scale
    return float(torch.linalg.det(seen).abs().sqrt())


def camera_of(
    homography: Float[np.ndarray, "3 3"], frame_size: tuple[int, int]
) -> Float[np.ndarray, "3"]:
    """Return where the camera is, (x, y, height over the calibrated plane), given that its
    pixels are square.

    The columns of the inverse homography are two axes of the plane and its origin as the camera
    sees them; that the axes are at right angles and of equal length gives the focal length
    (Zhang 2000, section 3.1).
    """
    middle = np.array(
        [[1, 0, (1 - frame_size[0]) / 2], [0, 1, (1 - frame_size[1]) / 2], [0, 0, 1]]
    )
    first, second, origin = (middle @ np.linalg.inv(homography)).T
    unknown = np.array([first[2] * second[2], second[2] ** 2 - first[2] ** 2])
    known = np.array([-first[:2] @ second[:2], first[:2] @ first[:2] - second[:2] @ second[:2]])
    if np.abs(unknown).max() < 1e-9 * np.abs(known).max() or unknown @ known <= 0:
        there = homography @ np.array([(frame_size[0] - 1) / 2, (frame_size[1] - 1) / 2, 1])
        return np.array([*there[:2] / there[2], 1e6])  # straight from above
    focal = np.sqrt(unknown @ known / (unknown @ unknown))
    axes = np.stack([first, second, origin], 1) / np.array([[focal], [focal], [1]])
    axes /= np.linalg.norm(axes[:, 0])
    rotation = np.column_stack([axes[:, 0], axes[:, 1], np.cross(axes[:, 0], axes[:, 1])])
    eye = -rotation.T @ axes[:, 2]
    return np.array([eye[0], eye[1], abs(eye[2])])
