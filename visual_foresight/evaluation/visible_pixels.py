"""At which pixels each object is seen, as a judge knows: where tasks designate what is pushed."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from visual_foresight.interfaces import JudgedEnv
from visual_foresight.types import Pixel

PROBES = 32
"""Probed pixels along the shorter side of the frame."""


def visible_pixels(env: JudgedEnv, centers: Float[np.ndarray, "k 2"]) -> list[list[Pixel]]:
    """Return for each object the probed pixels at which it is seen.

    Pixels are probed on a regular grid (see `PROBES`); what is seen at one belongs to the object
    whose centre is nearest.

    Args:
        env: whose present scene is looked at.
        centers: the objects' true (x, y), in metres.
    """
    height, width = env.info.frame_size
    stride = math.ceil(min(height, width) / PROBES)
    visible: list[list[Pixel]] = [[] for _ in centers]
    for row in range(0, height, stride):
        for col in range(0, width, stride):
            pixel = Pixel(float(row), float(col))
            point = env.pick(pixel)
            if point.kind == "object":
                away_m = np.linalg.norm(centers - env.where(point)[1][:2], axis=1)
                visible[int(away_m.argmin())].append(pixel)
    return visible


def middle(pixels: Sequence[Pixel]) -> Pixel:
    """Return the one of these pixels that is nearest to their mean."""
    mean = Pixel(
        float(np.mean([pixel.row for pixel in pixels])),
        float(np.mean([pixel.col for pixel in pixels])),
    )
    return min(pixels, key=mean.distance)
