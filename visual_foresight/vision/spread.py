"""How far apart several paths are, step by step, as ellipses in the frame."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from visual_foresight.types import Pixel


@dataclass(frozen=True)
class Ellipse:
    """The ellipse of one standard deviation of some places."""

    centre: Pixel
    """Their mean."""
    longer: float
    """The longer radius, in pixels."""
    shorter: float
    """The shorter radius, in pixels."""
    angle: float
    """Of the longer radius, in radians: 0 points right, a quarter of a turn down."""


def ellipse(places: Float[np.ndarray, "n 2"]) -> Ellipse:
    """Return the ellipse of places (row, col): of their mean and their covariance."""
    mean = places.mean(0)
    offsets = places - mean
    variances, axes = np.linalg.eigh(offsets.T @ offsets / len(places))
    shorter, longer = np.sqrt(variances.clip(min=0))
    down, right = axes[:, 1]
    angle = np.arctan2(down, right) % np.pi  # an axis has no head
    return Ellipse(Pixel(*mean.tolist()), float(longer), float(shorter), float(angle))
