"""Where something may be that can be pushed: what explorers aim at."""

from collections.abc import Callable

import numpy as np
from einops import rearrange
from jaxtyping import Bool, Float, UInt8

from visual_foresight.types import Observation
from visual_foresight.vision.homography import apply_homography

MIN_CHROMA = 30.0  # of 255: a pixel with less is grey
MIN_CONTRAST = 35.0  # of 255: a pixel with less is of the table's colour

FindTargets = Callable[[Observation], Float[np.ndarray, "k 2"]]
"""Returns places (x, y) on the table where there may be an object, in metres."""


def find_by_color(homography: Float[np.ndarray, "3 3"]) -> FindTargets:
    """Return a finder of pixels that are neither grey, as robot arms are, nor like the table.

    Args:
        homography: see `env_info.Homography`.
    """

    def find(observation: Observation) -> Float[np.ndarray, "k 2"]:
        rows, cols = np.nonzero(_stands_out(observation.frame))
        return apply_homography(np.stack([rows, cols], 1), homography)

    return find


def _stands_out(frame: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    colors = frame - frame.mean(axis=2, keepdims=True)  # without brightness
    table = np.median(rearrange(colors, "h w c -> (h w) c"), axis=0)
    chroma = np.linalg.norm(colors, axis=2)
    contrast = np.linalg.norm(colors - table, axis=2)
    return (chroma > MIN_CHROMA) & (contrast > MIN_CONTRAST)
