"""Where the cells of a pixel map lie in the frame, and the way from pixels to maps and back.

A map of size m over h pixels covers the frame exactly: cell i has its centre at pixel (i + 0.5)
* h / m - 0.5.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import Pixel

MAP_STRIDE = 2
"""Frame pixels per side of a cell of the maps that models are trained, judged and planned with."""


def centres(cells: int, pixels: int) -> Float[Tensor, " {cells}"]:
    """Return where the centres of the cells of one map axis lie, in frame pixels."""
    return (torch.arange(cells) + 0.5) * pixels / cells - 0.5


def grid(
    map_size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "{map_size[0]} {map_size[1]} 2"]:
    """Return (row, col) of the centre of every cell, in frame pixels.

    Of a map as large as the frame, those of its pixels.
    """
    rows, cols = (
        centres(cells, size) for cells, size in zip(map_size, frame_size, strict=True)
    )
    return torch.stack(torch.meshgrid(rows, cols, indexing="ij"), -1)


def map_size_of(frame_size: tuple[int, int], stride: int = MAP_STRIDE) -> tuple[int, int]:
    """Return the rows and columns of maps of frames (height, width) whose cells have sides of so many frame pixels."""
    return max(frame_size[0] // stride, 1), max(frame_size[1] // stride, 1)


def splat(
    pixels: tuple[Pixel, ...], map_size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "p {map_size[0]} {map_size[1]}"]:
    """Return one distribution per pixel: its weight is shared by the (at most four) cells
    around it, bilinearly.

    The expected position is the pixel's own, exactly, between the centres of the outermost
    cells; a pixel nearer to the border of the frame, or beyond it, goes to the outermost cells.

    Args:
        pixels: Places in the frame.
        map_size: Rows and columns of the maps.
        frame_size: Height and width of the frame.
    """
    return splat_places(
        torch.tensor([[pixel.row, pixel.col] for pixel in pixels], dtype=torch.float32).reshape(
            -1, 2
        ),
        map_size,
        frame_size,
    )


def splat_places(
    places: Float[Tensor, "*batch 2"], map_size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "*batch {map_size[0]} {map_size[1]}"]:
    """Do the same for places (row, col) given as a tensor."""
    rows, cols = (
        shares(places[..., axis], cells, size)
        for axis, (cells, size) in enumerate(zip(map_size, frame_size, strict=True))
    )
    return rows[..., :, None] * cols[..., None, :]


def expected_places(
    maps: Float[Tensor, "*batch map_h map_w"], frame_size: tuple[int, int]
) -> Float[Tensor, "*batch 2"]:
    """Return the expected (row, col) of each distribution, in frame pixels."""
    # no product of matrices: autocast rounds it
    rows = maps.sum(-1) * centres(maps.shape[-2], frame_size[0]).to(maps)
    cols = maps.sum(-2) * centres(maps.shape[-1], frame_size[1]).to(maps)
    return torch.stack([rows.sum(-1), cols.sum(-1)], -1)


def expected(
    maps: Float[Tensor, "p map_h map_w"], frame_size: tuple[int, int]
) -> tuple[Pixel, ...]:
    """Return the expected position of each distribution, in frame pixels."""
    return tuple(
        Pixel(row, col) for row, col in expected_places(maps.double(), frame_size).tolist()
    )


def mode(
    maps: Float[Tensor, "p map_h map_w"], frame_size: tuple[int, int]
) -> tuple[Pixel, ...]:
    """Return the centre of the most likely cell of each distribution, in frame pixels."""
    rows, cols = (
        centres(maps.shape[1], frame_size[0]).tolist(),
        centres(maps.shape[2], frame_size[1]).tolist(),
    )
    best = maps.flatten(1).argmax(1).tolist()
    return tuple(Pixel(rows[i // len(cols)], cols[i % len(cols)]) for i in best)


def shares(
    places: Float[Tensor, "*batch"], cells: int, pixels: int
) -> Float[Tensor, "*batch {cells}"]:
    """Share each place on one axis between the two nearest cells, differentiably wherever it is."""
    position = ((places + 0.5) * cells / pixels - 0.5).clamp(0, cells - 1)[..., None]
    below = position.detach().floor()
    cell, above = torch.arange(cells, device=places.device), position - below
    return torch.where(cell == below, 1 - above, torch.where(cell == below + 1, above, 0))
