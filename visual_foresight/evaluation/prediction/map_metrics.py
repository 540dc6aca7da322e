"""How well a pixel map says where a designated pixel went.

Its distance from the truth, and whether its spread is honest.
"""

from collections.abc import Sequence

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from visual_foresight.vision.pixel_maps import expected_places


def position_error(
    pixel_maps: Float[Tensor, "*batch map_h map_w"],
    places: Float[Tensor, "*batch 2"],
    frame_size: tuple[int, int],
) -> Float[Tensor, "*batch"]:
    """Return how far, in frame pixels, the expected position of each pixel map is from the true
    (row, col).

    Args:
        pixel_maps: distributions on grids that cover the frame exactly, and may be coarser.
        places: (row, col) in frame pixels.
        frame_size: height and width of the frame.
    """
    return torch.linalg.vector_norm(expected_places(pixel_maps, frame_size) - places, dim=-1)


def coverage(
    pixel_maps: Float[Tensor, "*batch map_h map_w"],
    places: Float[Tensor, "*batch 2"],
    frame_size: tuple[int, int],
    levels: Sequence[float],
) -> Float[Tensor, "_ *batch"]:
    """Return whether the true place lies in the highest-density region of each level: a chance,
    1 inside and 0 outside.

    The region of level 0.5 is made of the densest cells that hold half of the mass (Hyndman
    1996). Cells are coarse, so the last of them, and those as dense as it, belong to the region
    in part; they count with that share. Then maps that are right have a mean coverage of
    exactly the level, however coarse they are: less means that a map is too sure of itself.

    Args:
        pixel_maps: distributions (each sums to 1) on grids that cover the frame exactly, and
            may be coarser.
        places: (row, col) in frame pixels; those beyond the border belong to the outermost cells.
        frame_size: height and width of the frame.
        levels: shares of the mass, in (0, 1).
    """
    map_h, map_w = pixel_maps.shape[-2:]
    row, col = (
        ((places[..., axis] + 0.5) * cells / pixels).floor().long().clamp(0, cells - 1)
        for axis, (cells, pixels) in enumerate(zip((map_h, map_w), frame_size, strict=True))
    )
    flat = rearrange(pixel_maps, "... map_h map_w -> ... (map_h map_w)")
    here = flat.gather(-1, (row * map_w + col)[..., None])
    denser = (flat * (flat > here)).sum(-1)
    alike = (flat * (flat == here)).sum(-1).clamp(min=torch.finfo(flat.dtype).tiny)
    return torch.stack([((level - denser) / alike).clamp(0, 1) for level in levels])
