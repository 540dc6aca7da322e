"""The table as a plane of complex numbers, x + iy in metres, and how a calibrated camera sees it."""

import torch
from jaxtyping import Complex, Float
from torch import Tensor


def as_complex(vectors: Float[Tensor, "*b 2"]) -> Complex[Tensor, "*b"]:
    """Return (x, y) as x + iy."""
    return torch.complex(vectors[..., 0], vectors[..., 1])


def heading(turn: Float[Tensor, "*b"]) -> Complex[Tensor, "*b"]:
    """Return the unit vectors of angles."""
    return torch.polar(torch.ones_like(turn), turn)


def to_pixel(places: Complex[Tensor, "*b"], homography: Float[Tensor, "3 3"]) -> Float[Tensor, "*b 2"]:
    """Return at which (row, col) places are seen, by the homography from (x, y, 1) to (row, col, 1)."""
    rows, cols, scale = (a * places.real + b * places.imag + c for a, b, c in homography.unbind())
    return torch.stack([rows / scale, cols / scale], -1)


def to_table(pixels: Float[Tensor, "*b 2"], homography: Float[Tensor, "3 3"]) -> Complex[Tensor, "*b"]:
    """Return which places are seen at (row, col), by the homography from (row, col, 1) to (x, y, 1)."""
    return as_complex(to_pixel(as_complex(pixels), homography))
