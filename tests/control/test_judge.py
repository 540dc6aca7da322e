"""Goals where nothing can get are refused before the first step, in any world that can tell."""

from dataclasses import replace

import numpy as np
import pytest

from visual_foresight.control.judge import require_reachable
from visual_foresight.env_info import EnvInfo, View
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.types import Pixel, UserError, Workspace

SIZE = (40, 60)
# From straight above, a pixel is a centimetre; the arm moves over 20 x 20 cm in a corner.
ABOVE = ((0.01, 0.0, 0.0), (0.0, 0.01, 0.0), (0.0, 0.0, 1.0))
# From the side: the horizon is at row 10, x is the farther the nearer a row is to it.
SIDE = ((0.0, 0.0, 1.0), (0.0, 0.01, 0.0), (1.0, 0.0, -10.0))
WORLD = EnvInfo(
    {"top": View(SIZE, ABOVE)}, 2, 2, Workspace((0.0, 0.0), (0.2, 0.2), (0.02, 0.02))
)


def goal(row: float, col: float) -> PixelGoal:
    return PixelGoal((Pixel(12, 12),), (Pixel(row, col),))


def test_what_is_far_beyond_the_workspace_is_refused() -> None:
    for row, col in ((5, 5), (0, 0), (25, 10), (12, 12)):
        require_reachable(WORLD, goal(row, col))
    with pytest.raises(
        UserError, match=r"nothing can get to .*row 5, col 59\), .* 39 cm beyond"
    ):
        require_reachable(WORLD, goal(5, 59))


def test_so_is_what_is_above_the_horizon() -> None:
    world = replace(WORLD, views={"side": View(SIZE, SIDE)})
    require_reachable(world, goal(25, 10))
    for row in (5, 10):
        with pytest.raises(UserError, match="shows what is above the horizon"):
            require_reachable(world, goal(row, 10))


def test_a_pixel_that_is_to_stay_may_be_anywhere() -> None:
    far = Pixel(5, 59)
    require_reachable(WORLD, PixelGoal((far,), (far,)))


@pytest.mark.parametrize(
    "world",
    [replace(WORLD, workspace=None), replace(WORLD, views={"top": View(SIZE)})],
)
def test_a_world_that_cannot_tell_refuses_nothing(world: EnvInfo) -> None:
    require_reachable(world, goal(5, 59))


def test_a_mirrored_calibration_is_the_same() -> None:
    mirrored = tuple(tuple(-number for number in row) for row in SIDE)
    assert np.allclose(np.array(mirrored), -np.array(SIDE))
    world = replace(WORLD, views={"side": View(SIZE, mirrored)})
    require_reachable(world, goal(25, 10))
    with pytest.raises(UserError, match="above the horizon"):
        require_reachable(world, goal(5, 10))
