"""How a frame differs from the empty scene.

A camera that stands still sees what does not move where nothing else is.
"""

import numpy as np
from jaxtyping import Float32


def apart_from(
    frames: Float32[np.ndarray, "b h w 3"], empty: Float32[np.ndarray, "h w 3"]
) -> Float32[np.ndarray, "b h w"]:
    """Tell how much each pixel differs from the empty table, in the colour that differs most."""
    return strongest(frames - empty)


def strongest(apart: Float32[np.ndarray, "*b h w 3"]) -> Float32[np.ndarray, "*b h w"]:
    """Return the size of the colour that differs most."""
    # one by one: ten times as fast as max(-1)
    red, green, blue = np.moveaxis(np.abs(apart), -1, 0)
    return np.maximum(np.maximum(red, green), blue)
