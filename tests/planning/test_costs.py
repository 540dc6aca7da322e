"""Known answers of the pixel cost."""

import math

import pytest
import torch

from visual_foresight.pixel_maps import splat
from visual_foresight.planning.costs import PixelDistance
from visual_foresight.types import Pixel, PixelGoal, Prediction

FRAME = (12, 20)


def imagined(paths, map_size=FRAME):
    """Build a prediction in which pixel p of candidate n is at paths[n][t][p]."""
    maps = torch.stack([torch.stack([splat(tuple(step), map_size, FRAME) for step in path]) for path in paths])
    num, steps, pixels = maps.shape[:3]
    return Prediction(torch.zeros(num, 0, 3, *FRAME), maps, torch.zeros(num, steps, pixels), None)


@pytest.mark.parametrize("map_size", [FRAME, (6, 10), (4, 5)])
def test_is_the_distance_in_frame_pixels_on_any_grid(map_size):
    row, col = 5.5, 9.5  # a corner of cells of every size: the splat is symmetrical and wider on coarser grids
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(row, 1000.0),))
    cost = PixelDistance(goal)(imagined([[[Pixel(row, col)]] * 3], map_size))
    assert cost.item() == pytest.approx(1000.0 - col, abs=0.01)


def test_weighs_the_last_step_and_averages_over_pixels():
    goal = PixelGoal((Pixel(0.0, 0.0), Pixel(1.0, 1.0)), (Pixel(2.0, 3.0), Pixel(4.0, 5.0)))
    here = [Pixel(2.0, 3.0), Pixel(4.0, 5.0)]
    away = [Pixel(5.0, 7.0), Pixel(4.0, 5.0)]  # 5 pixels and 0 pixels off
    early, late = PixelDistance(goal, final_weight=4.0)(imagined([[away, here, here], [here, here, away]])).tolist()
    assert early == pytest.approx(2.5 * 1 / 6)
    assert late == pytest.approx(2.5 * 4 / 6)


def test_is_an_expectation():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(3.0, 3.0),))
    prediction = imagined([[[Pixel(3.0, 3.5)]]])  # half at distance 0, half at 1
    assert PixelDistance(goal)(prediction).item() == pytest.approx(0.5)


def test_is_lower_nearer_the_goal_and_candidates_do_not_mix():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(3.0, 4.0),))
    paths = [[[Pixel(3.0, col)]] for col in (10.0, 6.0, 4.0)]
    costs = PixelDistance(goal)(imagined(paths))
    assert costs.tolist() == pytest.approx([6, 2, 0])
    assert PixelDistance(goal)(imagined(paths[1:2])).item() == pytest.approx(costs[1].item())


def test_low_precision_maps_are_judged_in_full_precision():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(0.0, 0.0),))
    full = imagined([[[Pixel(8.0, 16.0)]]])
    low = Prediction(full.frames, full.pixel_maps.bfloat16(), full.lost, None)
    assert PixelDistance(goal)(low).item() == pytest.approx(math.hypot(8, 16), abs=1e-4)


def test_another_number_of_maps_than_goal_pixels_is_refused():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(3.0, 4.0),))
    with pytest.raises(ValueError, match="2 pixel maps over 1 steps"):
        PixelDistance(goal)(imagined([[[Pixel(1.0, 1.0), Pixel(2.0, 2.0)]]]))
