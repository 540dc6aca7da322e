"""From pixels to pixel maps and back, and where the cells of a map lie in the frame.

A map of m cells over h pixels covers the frame exactly: cell i has its centre at pixel
(i + 0.5) h / m - 0.5.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import Pixel

MAP_STRIDE = 2
"""Frame pixels per side of a cell of the maps that predictors return."""


def centres(cells: int, pixels: int) -> Float[Tensor, " {cells}"]:
    """Return where the centres of the cells of one map axis lie, in frame pixels."""
    return (torch.arange(cells) + 0.5) * pixels / cells - 0.5


def grid(
    map_size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "{map_size[0]} {map_size[1]} 2"]:
    """Return (row, col) of the centre of every cell, in frame pixels.

    Of a map as large as the frame, these are its pixels.
    """
    rows = centres(map_size[0], frame_size[0])
    cols = centres(map_size[1], frame_size[1])
    return torch.stack(torch.meshgrid(rows, cols, indexing="ij"), -1)


def map_size_of(frame_size: tuple[int, int], stride: int = MAP_STRIDE) -> tuple[int, int]:
    """Return the rows and columns of maps whose cells have sides of `stride` frame pixels."""
    return max(frame_size[0] // stride, 1), max(frame_size[1] // stride, 1)


def places_of(pixels: Sequence[Pixel]) -> Float[Tensor, "p 2"]:
    """Return (row, col) of each pixel."""
    places = torch.tensor([[pixel.row, pixel.col] for pixel in pixels], dtype=torch.float32)
    return places.reshape(-1, 2)


def first_maps(
    places: Float[Tensor, "*batch 2"], frame_size: tuple[int, int]
) -> Float[Tensor, "*batch _map_h _map_w"]:
    """Return the pixel maps of places (row, col) that were just designated."""
    return splat_places(places, map_size_of(frame_size), frame_size)


def splat(
    pixels: tuple[Pixel, ...], map_size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "p {map_size[0]} {map_size[1]}"]:
    """Return a distribution for each pixel, shared bilinearly by the (up to four) nearest cells.

    Between the centres of the outermost cells, the expected position is exactly the pixel's. A
    pixel nearer to the border of the frame, or beyond it, goes to the outermost cells.

    Args:
        pixels: Places in the frame.
        map_size: Rows and columns of the maps.
        frame_size: Height and width of the frame.
    """
    return splat_places(places_of(pixels), map_size, frame_size)


def splat_places(
    places: Float[Tensor, "*batch 2"], map_size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "*batch {map_size[0]} {map_size[1]}"]:
    """Do the same as `splat` for places (row, col) given as a tensor."""
    rows = shares(places[..., 0], map_size[0], frame_size[0])
    cols = shares(places[..., 1], map_size[1], frame_size[1])
    return rows[..., :, None] * cols[..., None, :]


def expected_places(
    maps: Float[Tensor, "*batch map_h map_w"], frame_size: tuple[int, int]
) -> Float[Tensor, "*batch 2"]:
    """Return the expected (row, col) of each distribution, in frame pixels."""
    # no matrix product: autocast would round it
    rows = maps.sum(-1) * centres(maps.shape[-2], frame_size[0]).to(maps)
    cols = maps.sum(-2) * centres(maps.shape[-1], frame_size[1]).to(maps)
    return torch.stack([rows.sum(-1), cols.sum(-1)], -1)


def expected(
    maps: Float[Tensor, "p map_h map_w"], frame_size: tuple[int, int]
) -> tuple[Pixel, ...]:
    """Return the expected position of each distribution, in frame pixels."""
    places = expected_places(maps.double(), frame_size).tolist()
    return tuple(Pixel(row, col) for row, col in places)


def mode(
    maps: Float[Tensor, "p map_h map_w"], frame_size: tuple[int, int]
) -> tuple[Pixel, ...]:
    """Return the centre of the most likely cell of each distribution, in frame pixels."""
    rows = centres(maps.shape[1], frame_size[0]).tolist()
    cols = centres(maps.shape[2], frame_size[1]).tolist()
    best = maps.flatten(1).argmax(1).tolist()
    return tuple(Pixel(rows[i // len(cols)], cols[i % len(cols)]) for i in best)


def shares(
    places: Float[Tensor, "*batch"], cells: int, pixels: int
) -> Float[Tensor, "*batch {cells}"]:
    """Share each place on one axis linearly between the two nearest cells.

    The result has a gradient at every place, also at the centre of a cell.
    """
    position = ((places + 0.5) * cells / pixels - 0.5).clamp(0, cells - 1)[..., None]
    lower = position.detach().floor()
    to_upper = position - lower
    cell = torch.arange(cells, device=places.device)
    return torch.where(cell == lower, 1 - to_upper, torch.where(cell == lower + 1, to_upper, 0))
