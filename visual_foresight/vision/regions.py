"""Regions of a grid: the smallest that holds a share of a distribution, and its sharp outline.

It computes with NumPy alone, since the page draws beside a search (see `types.to_uint8`).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

Corner = tuple[int, int]
ALMOST = 1e-6
"""Of the mass: rounding of 16 bits must not add a cell to a region."""


def densest(
    pixel_map: Float[np.ndarray, "map_h map_w"], share: float
) -> Bool[np.ndarray, "map_h map_w"]:
    """Return the smallest set of cells that holds a share of a distribution's mass.

    This is its highest-density region (Hyndman 1996). Of equally dense cells the first ones, row by
    row, belong to it; a map without mass has none.

    Args:
        pixel_map: not negative; it need not sum to 1.
        share: in (0, 1].
    """
    flat = pixel_map.astype(np.float64).ravel()
    order = np.argsort(-flat, kind="stable")
    held = np.cumsum(flat[order])
    inside = np.zeros(flat.size, bool)
    if held[-1] > 0:
        count = 1 + int(np.searchsorted(held, (share - ALMOST) * held[-1]))
        inside[order[:count]] = True
    return inside.reshape(pixel_map.shape)


def outline(inside: Bool[np.ndarray, "h w"]) -> list[Int[np.ndarray, "_ 2"]]:
    """Return the closed lines around cells, each as its corners in order.

    Corner (i, j) is the upper left one of cell (i, j). Each line runs clockwise around cells and
    counterclockwise around holes; cells that touch at a corner only are apart.
    """
    nexts = _edges(inside)
    rings = []
    while nexts:
        start = min(nexts)
        ring = [start]
        here, came_from = nexts[start].pop(0), start
        while True:
            if not nexts[came_from]:
                del nexts[came_from]
            if here == start:
                break
            ring.append(here)
            ends = nexts[here]
            ends.sort(key=lambda end: _turn(came_from, here, end))
            came_from, here = here, ends.pop(0)
        rings.append(np.array(_without_straights(ring)))
    return rings


def _edges(inside: Bool[np.ndarray, "h w"]) -> dict[Corner, list[Corner]]:
    """Return where edges lead from each corner; each has a cell of the region on its right."""
    height, width = inside.shape
    padded = np.pad(inside, 1)
    nexts: dict[Corner, list[Corner]] = {}
    for i, j in np.argwhere(inside).tolist():
        corners = [(i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j)]
        outside = [
            not padded[i, j + 1],
            not padded[i + 1, j + 2],
            not padded[i + 2, j + 1],
            not padded[i + 1, j],
        ]
        for side in range(4):
            if outside[side]:
                nexts.setdefault(corners[side], []).append(corners[(side + 1) % 4])
    return nexts


def _turn(before: Corner, here: Corner, after: Corner) -> int:
    """Return -1 for a turn to the right, 0 for straight on, 1 for one to the left."""
    down, right = here[0] - before[0], here[1] - before[1]
    next_down, next_right = after[0] - here[0], after[1] - here[1]
    return down * next_right - right * next_down


def _without_straights(ring: list[Corner]) -> list[Corner]:
    """Return a closed line without the corners at which it goes straight on."""
    return [
        here
        for index, here in enumerate(ring)
        if _turn(ring[index - 1], here, ring[(index + 1) % len(ring)])
    ]
