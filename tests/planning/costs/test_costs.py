"""Known answers of the costs."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.planning.costs.disagreement import DisagreementPenalty
from visual_foresight.planning.costs.image_distance import ImageDistance
from visual_foresight.planning.costs.pixel_distance import PixelDistance
from visual_foresight.types import Pixel, Prediction, UserError
from visual_foresight.vision.pixel_maps import splat

FRAME = (12, 20)


def imagined(paths, map_size=FRAME):
    """Build a prediction in which pixel p of candidate n is at paths[n][t][p]."""
    maps = torch.stack(
        [torch.stack([splat(tuple(step), map_size, FRAME) for step in path]) for path in paths]
    )
    num, steps, pixels = maps.shape[:3]
    return Prediction(
        frames=torch.zeros(num, 0, 3, 0, 0),
        pixel_maps=maps,
        lost=torch.zeros(num, steps, pixels),
        carry=None,
        frame_size=FRAME,
    )


@pytest.mark.parametrize("map_size", [FRAME, (6, 10), (4, 5)])
def test_is_the_distance_in_frame_pixels_on_any_grid(map_size):
    # a corner of cells of every size: the splat is symmetrical and wider on coarser grids
    row, col = 5.5, 9.5
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(row, 1000.0),))
    cost = PixelDistance(goal)(imagined([[[Pixel(row, col)]] * 3], map_size))
    assert cost.item() == pytest.approx(1000.0 - col, abs=0.01)


def test_weighs_the_last_step_and_averages_over_pixels():
    goal = PixelGoal((Pixel(0.0, 0.0), Pixel(1.0, 1.0)), (Pixel(2.0, 3.0), Pixel(4.0, 5.0)))
    here = [Pixel(2.0, 3.0), Pixel(4.0, 5.0)]
    away = [Pixel(5.0, 7.0), Pixel(4.0, 5.0)]  # 5 pixels and 0 pixels off
    early, late = PixelDistance(goal, final_weight=4.0)(
        imagined([[away, here, here], [here, here, away]])
    ).tolist()
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
    low = replace(full, pixel_maps=full.pixel_maps.bfloat16())
    assert PixelDistance(goal)(low).item() == pytest.approx(math.hypot(8, 16), abs=1e-4)


def test_another_number_of_maps_than_goal_pixels_is_refused():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(3.0, 4.0),))
    with pytest.raises(ValueError, match="2 pixel maps over 1 steps"):
        PixelDistance(goal)(imagined([[[Pixel(1.0, 1.0), Pixel(2.0, 2.0)]]]))


def shades(*levels):
    """Build a prediction in which frame t of candidate n is a plain grey, levels[n][t]."""
    frames = torch.tensor(levels)[:, :, None, None, None].expand(-1, -1, 3, *FRAME)
    return Prediction(
        frames,
        torch.zeros(*frames.shape[:2], 0, *FRAME),
        torch.zeros(*frames.shape[:2], 0),
        None,
        frame_size=FRAME,
    )


def test_image_distance_is_the_difference_and_weighs_the_last_step():
    goal = ImageGoal(np.full((*FRAME, 3), 51, np.uint8))  # a fifth of the range
    early, late, there = ImageDistance(goal, final_weight=4.0)(
        shades([0.8, 0.2, 0.2], [0.2, 0.2, 0.8], [0.2] * 3)
    ).tolist()
    assert early == pytest.approx(0.6 * 1 / 6)
    assert late == pytest.approx(0.6 * 4 / 6)
    assert there == pytest.approx(0, abs=1e-6)


def test_image_distance_is_a_root_mean_square_over_pixels():
    frame = np.zeros((*FRAME, 3), np.uint8)
    frame[:, :5] = 255  # a quarter of the picture is wrong by 1
    assert ImageDistance(ImageGoal(frame))(shades([0.0])).item() == pytest.approx(0.5)


def test_what_is_transparent_in_a_goal_image_does_not_count():
    frame = np.full((*FRAME, 3), 255, np.uint8)
    frame[:, :5] = 51
    mask = np.zeros(FRAME, bool)
    mask[:, :5] = True
    costs = ImageDistance(ImageGoal(frame, mask))(shades([0.2], [0.7]))
    assert costs.tolist() == pytest.approx([0, 0.5])


@pytest.mark.parametrize("steps", [[], [0.5]])
def test_frames_that_are_missing_or_of_another_size_are_refused(steps):
    goal = ImageGoal(np.zeros((FRAME[0] + bool(steps), FRAME[1], 3), np.uint8))
    with pytest.raises(ValueError, match="decoded frames of .channels, height, width."):
        ImageDistance(goal)(shades(steps))


def test_caution_adds_what_members_disagree_by():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(3.0, 4.0),))
    # 1 and 5 off; 3 and 3
    members = [imagined([[[Pixel(3.0, col)]], [[Pixel(3.0, 7.0)]]]) for col in (5.0, 9.0)]
    cost = PixelDistance(goal)
    together = Prediction.average(members)
    assert DisagreementPenalty(cost, 0.0)(together).tolist() == pytest.approx([3, 3])
    assert cost(together).tolist() == pytest.approx([3, 3])
    assert DisagreementPenalty(cost, 0.5)(together).tolist() == pytest.approx([3 + 0.5 * 2, 3])


def test_one_future_cannot_disagree():
    goal = PixelGoal((Pixel(0.0, 0.0),), (Pixel(3.0, 4.0),))
    with pytest.raises(UserError, match="two members or more"):
        DisagreementPenalty(PixelDistance(goal), 1.0)(imagined([[[Pixel(3.0, 4.0)]]]))
