"""How well a pixel map predicts a designated pixel: position error, and coverage of the truth."""

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
    """Return the distance of each pixel map's expected position from the truth, in frame pixels.

    Args:
        pixel_maps: distributions on grids that cover the frame exactly, and may be coarser.
        places: true (row, col) in frame pixels.
        frame_size: height and width of the frame.
    """
    return torch.linalg.vector_norm(expected_places(pixel_maps, frame_size) - places, dim=-1)


def coverage(
    pixel_maps: Float[Tensor, "*batch map_h map_w"],
    places: Float[Tensor, "*batch 2"],
    frame_size: tuple[int, int],
    levels: Sequence[float],
) -> Float[Tensor, "_ *batch"]:
    """Return how much the highest-density region of each level holds of the true place: 0 to 1.

    The region of level 0.5 is made of the densest cells that hold half of the mass (Hyndman
    1996). Cells are coarse, so the last of them, and those as dense as it, belong to the region
    in part; a place in one of them counts with that share, any other with 1 or 0. Then maps
    that are right have a mean coverage of exactly the level, however coarse they are; less
    means that the maps are overconfident.

    Args:
        pixel_maps: distributions (each sums to 1) on grids that cover the frame exactly, and
            may be coarser.
        places: true (row, col) in frame pixels; those beyond the border belong to the outermost
            cells.
        frame_size: height and width of the frame.
        levels: shares of the mass, in (0, 1).
    """
    map_h, map_w = pixel_maps.shape[-2:]
    height, width = frame_size
    row = _cell_of(places[..., 0], map_h, height)
    col = _cell_of(places[..., 1], map_w, width)
    flat = rearrange(pixel_maps, "... map_h map_w -> ... (map_h map_w)")
    here = flat.gather(-1, (row * map_w + col)[..., None])
    denser = (flat * (flat > here)).sum(-1)
    equal = (flat * (flat == here)).sum(-1).clamp(min=torch.finfo(flat.dtype).tiny)
    return torch.stack([((level - denser) / equal).clamp(0, 1) for level in levels])


def _cell_of(places: Float[Tensor, "*batch"], num_cells: int, num_pixels: int) -> Tensor:
    """Return the number of the cell of a map in which each place along one axis is."""
    return ((places + 0.5) * num_cells / num_pixels).floor().long().clamp(0, num_cells - 1)
