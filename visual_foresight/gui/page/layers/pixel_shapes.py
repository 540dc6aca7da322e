"""Where the model expects the designated pixels: maps, their regions, and the expected paths."""

from collections.abc import Set

import numpy as np
from jaxtyping import Float

from visual_foresight.gui.page.layers import shapes
from visual_foresight.gui.page.layers.choices import MAPS, PATHS, REGIONS
from visual_foresight.gui.page.layers.colours import colour_of
from visual_foresight.types import Pixel, Plan
from visual_foresight.vision.drawing import maps_of
from visual_foresight.vision.pixel_maps import centres
from visual_foresight.vision.regions import densest, outline

LEVELS = {0.5: "region half", 0.9: "region most"}
"""Share of a map's mass -> the class of its outline."""


def pixel_shapes(plan: Plan, ahead: int, rank: int, on: Set[str]) -> list[str]:
    """Draw what is expected of the designated pixels.

    Args:
        plan: the one that is shown.
        ahead: actions after its frame; 0: at that frame.
        rank: 0 for the plan itself, 1 for its first runner-up, ...
        on: names of the layers.
    """
    size = plan.prediction.frame_size
    drawn = []
    if ahead:
        for number, pixel_map in enumerate(maps_of(plan, ahead - 1, rank)):
            colour = colour_of(number)
            if MAPS.name in on:
                drawn.append(shapes.heat(pixel_map, colour, size))
            if REGIONS.name in on:
                drawn += _regions(pixel_map, colour, size)
    if PATHS.name in on:
        for number, path in enumerate(expected_paths(plan, rank)):
            colour = colour_of(number)
            drawn.append(shapes.line(path, "path", colour))
            drawn.append(shapes.dot(Pixel(*path[ahead].tolist()), "path", colour, size))
    return drawn


def _regions(
    pixel_map: Float[np.ndarray, "map_h map_w"], colour: str, frame_size: tuple[int, int]
) -> list[str]:
    rows, cols = pixel_map.shape
    return [
        shapes.region(
            outline(densest(pixel_map, level)), (rows, cols), frame_size, kind, colour
        )
        for level, kind in LEVELS.items()
    ]


def expected_paths(plan: Plan, rank: int = 0) -> Float[np.ndarray, "p t_plus_1 2"]:
    """Return the expected place (row, col) of each designated pixel before and after each action.

    With NumPy alone: see `types.to_uint8`.
    """
    maps = plan.prediction.pixel_maps[rank].detach().float().cpu().numpy()
    height, width = plan.prediction.frame_size
    rows = maps.sum(-1) @ centres(maps.shape[-2], height).numpy()
    cols = maps.sum(-2) @ centres(maps.shape[-1], width).numpy()
    expected = np.stack([rows, cols], -1)
    sources = np.array([(place.row, place.col) for place in plan.sources]).reshape(1, -1, 2)
    # A plan made without a locator has as many maps, and nothing known of where they began.
    first = sources if sources.shape[1] == expected.shape[1] else expected[:1]
    return np.concatenate([first, expected]).swapaxes(0, 1)
