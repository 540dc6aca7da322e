"""A plane in the world as a calibrated camera sees it.

Homographies take pixels (row, col) to places (x, y) on the plane in metres, or back. Tensors hold a
place as a complex number, x + iy.
"""

import cv2
import numpy as np
import torch
from jaxtyping import Complex, Float, Float64, Real
from torch import Tensor

FAR_M = 1e6  # height that is returned for a camera without perspective, straight above


def apply_homography(
    places: Real[np.ndarray, "*b 2"], homography: Float[np.ndarray, "3 3"]
) -> Float64[np.ndarray, "*b 2"]:
    """Return where a homography takes places: (row, col) to (x, y), or back by its inverse."""
    listed = np.asarray(places, np.float64).reshape(-1, 1, 2)
    if not len(listed):  # OpenCV refuses these
        return np.zeros(places.shape)
    return cv2.perspectiveTransform(listed, homography).reshape(places.shape)


def as_complex(vectors: Float[Tensor, "*b 2"]) -> Complex[Tensor, "*b"]:
    """Return (x, y) as x + iy."""
    return torch.complex(vectors[..., 0], vectors[..., 1])


def heading(angle: Float[Tensor, "*b"]) -> Complex[Tensor, "*b"]:
    """Return the unit vectors of angles in radians, e^(i angle)."""
    return torch.polar(torch.ones_like(angle), angle)


def to_pixel(
    places: Complex[Tensor, "*b"], homography: Float[Tensor, "3 3"]
) -> Float[Tensor, "*b 2"]:
    """Return the (row, col) at which places are seen.

    Unlike OpenCV, this has gradients and follows the tensors' device.

    Args:
        places: On the plane, x + iy in metres.
        homography: From (x, y, 1) to (row, col, 1).
    """
    x, y = places.real, places.imag
    to_row, to_col, to_scale = homography.unbind()
    row = to_row[0] * x + to_row[1] * y + to_row[2]
    col = to_col[0] * x + to_col[1] * y + to_col[2]
    scale = to_scale[0] * x + to_scale[1] * y + to_scale[2]
    return torch.stack([row / scale, col / scale], -1)


def to_plane(
    pixels: Float[Tensor, "*b 2"], homography: Float[Tensor, "3 3"]
) -> Complex[Tensor, "*b"]:
    """Return the places, x + iy in metres, that are seen at pixels.

    Args:
        pixels: (row, col).
        homography: From (row, col, 1) to (x, y, 1).
    """
    return as_complex(to_pixel(as_complex(pixels), homography))


def pixel_side(homography: tuple[tuple[float, ...], ...], frame_size: tuple[int, int]) -> float:
    """Return the side of the square on the plane with the area of the frame's middle pixel.

    That area is |det J|, where J is the Jacobian of (x, y) = (h1 p, h2 p) / (h3 p) with respect to
    (row, col), for p = (row, col, 1) and rows h1, h2, h3 of the homography: J = (H' - (x, y) h3') /
    (h3 p), where H' is the upper left 2 x 2 part and h3' the first two numbers of h3.

    Args:
        homography: From (row, col, 1) to (x, y, 1), in metres.
        frame_size: Height and width in pixels.
    """
    matrix = torch.tensor(homography, dtype=torch.float64)
    x, y, scale = matrix @ torch.from_numpy(_middle(frame_size))
    place = torch.stack([x, y]) / scale
    jacobian = (matrix[:2, :2] - place[:, None] * matrix[2, :2]) / scale
    return float(torch.linalg.det(jacobian).abs().sqrt())


def camera_of(
    homography: Float[np.ndarray, "3 3"], frame_size: tuple[int, int]
) -> Float64[np.ndarray, "3"]:
    """Return where the camera is: (x, y) and its height over the calibrated plane, in metres.

    Zhang, "A Flexible New Technique for Camera Calibration" (2000), sections 2.2, 2.3 and 3.1. With
    pixels counted from the middle of the frame, A = diag(f, f, 1) for square pixels, and the plane
    at z = 0, the homography from the plane to the frame is, up to scale (eq. 2),

        [h1 h2 h3] = A [r1 r2 t].

    The rotation's columns r1, r2 are orthonormal, so w = A^-T A^-1 = diag(g, g, 1), g = 1 / f^2, in

        h1' w h2 = 0               (eq. 3):  g (h1x h2x + h1y h2y) = -h1z h2z
        h1' w h1 = h2' w h2        (eq. 4):  g (|h1xy|^2 - |h2xy|^2) = h2z^2 - h1z^2

    which are two equations u f^2 = v for f^2, solved by least squares. Then r1, r2 and t follow,
    and the camera is at -R' t.

    Args:
        homography: From (row, col, 1) to (x, y, 1), in metres.
        frame_size: Height and width in pixels. The optical axis meets the frame's middle.
    """
    row, col, _ = _middle(frame_size)
    from_middle = np.array([[1, 0, -row], [0, 1, -col], [0, 0, 1]])
    h1, h2, h3 = (from_middle @ np.linalg.inv(homography)).T
    u = np.array([h1[2] * h2[2], h2[2] ** 2 - h1[2] ** 2])
    v = np.array([-h1[:2] @ h2[:2], h1[:2] @ h1[:2] - h2[:2] @ h2[:2]])
    if np.abs(u).max() < 1e-9 * np.abs(v).max() or u @ v <= 0:  # no perspective: from above
        x, y, scale = homography @ _middle(frame_size)
        return np.array([x / scale, y / scale, FAR_M])
    focal_px = np.sqrt(u @ v / (u @ u))
    pose = np.stack([h1, h2, h3], 1) / np.array([[focal_px], [focal_px], [1]])
    pose /= np.linalg.norm(pose[:, 0])
    r1, r2, translation = pose.T
    rotation = np.column_stack([r1, r2, np.cross(r1, r2)])
    x, y, z = -rotation.T @ translation
    return np.array([x, y, abs(z)])


def _middle(frame_size: tuple[int, int]) -> Float64[np.ndarray, "3"]:
    """Return (row, col, 1) of the middle of the frame."""
    height, width = frame_size
    return np.array([(height - 1) / 2, (width - 1) / 2, 1.0])
