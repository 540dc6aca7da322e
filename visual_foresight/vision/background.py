"""How frames of a fixed camera differ from its picture of the empty scene, the background."""

import numpy as np
from jaxtyping import Float32


def difference(
    frames: Float32[np.ndarray, "b h w 3"], background: Float32[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "b h w"]:
    """Return how much each pixel differs (0 to 1), in the colour channel that differs most."""
    return largest_channel(frames - background)


def largest_channel(
    differences: Float32[np.ndarray, "*b h w 3"],
) -> Float32[np.ndarray, "*b h w"]:
    """Return the largest absolute value of the three colour channels."""
    # one by one: ten times as fast as max(-1)
    red, green, blue = np.moveaxis(np.abs(differences), -1, 0)
    return np.maximum(np.maximum(red, green), blue)
