"""The judge of the loop.

Which physical points are behind designated pixels, and where on the table a goal pixel is.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.interfaces import Env
from visual_foresight.types import Pixel, PixelGoal, UserError

SUCCESS_M = 0.05
"""A trial that ends within this distance of its goal has reached it."""


def designate(env: Env, goal: PixelGoal) -> tuple[Any, ...]:
    """Return the points behind designated pixels that somebody chose, for the judge. All pixels
    must make sense.

    Args:
        env: what is to be moved must be an object there; what is to keep still (its goal is
            where it is) may be anything.
        goal: places in the present frame.

    Raises:
        UserError: a pixel is outside the frame, or does not show an object.
    """
    height, width = env.frame_size
    points = []
    for source, target in zip(goal.sources, goal.targets, strict=True):
        for what, pixel in (("designated", source), ("goal", target)):
            if not pixel.inside(height, width):
                raise UserError(
                    f"the {what} pixel (row {pixel.row:g}, col {pixel.col:g}) is outside the frame of {height} rows and "
                    f"{width} columns: choose one inside it"
                )
        points.append(env.pick(source))
        if points[-1].kind != "object" and source != target:
            raise UserError(
                f"the designated pixel (row {source.row:g}, col {source.col:g}) does not show an object but the "
                f"{points[-1].kind}: choose one on an object"
            )
    return tuple(points)


def on_height(
    project: Callable[[Float[np.ndarray, "3"]], Pixel],
    pixel: Pixel,
    like_m: Float[np.ndarray, "3"],
) -> Float[np.ndarray, "2"]:
    """Return the place (x, y) in metres that is seen at a pixel, at the height of a known place
    (Newton's method).

    A thing that is pushed keeps its height, so this is where its point must go to be seen at
    the pixel.

    Args:
        project: where a world point (metres) is seen.
        pixel: where to look.
        like_m: a place at the height wanted, and the start of the search.

    Raises:
        UserError: no place at that height is seen there.
    """

    def seen(place: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
        spot = project(np.array([*place, like_m[2]]))
        return np.array([spot.row, spot.col])

    wanted, place, nudge = (
        np.array([pixel.row, pixel.col]),
        np.array(like_m[:2]),
        1e-4 * np.eye(2),
    )
    for _ in range(20):
        missing = wanted - seen(place)
        if np.abs(missing).max() < 1e-6:
            return place
        slope = np.stack(
            [(seen(place + nudge[axis]) - seen(place)) / 1e-4 for axis in (0, 1)], axis=1
        )
        place = place + np.linalg.solve(slope, missing)
    if np.abs(wanted - seen(place)).max() > 1e-3:
        raise UserError(
            f"the goal pixel (row {pixel.row:g}, col {pixel.col:g}) shows no place at the height: choose another"
        )
    return place
