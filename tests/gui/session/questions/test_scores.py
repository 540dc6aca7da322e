"""How well what was imagined ends, and how right it was: known answers."""

import numpy as np
import pytest
import torch

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.questions.scores import Scores, score
from visual_foresight.types import Episode, Pixel, Plan, Prediction

HEIGHT, WIDTH, AHEAD = 12, 16, 2
"""A cell of the maps has a side of 2: the middle of cell (2, 3) is at row 4.5, column 6.5."""
GOAL = PixelGoal((Pixel(4, 6),), (Pixel(4.5, 9.5),))


def plan(grey=0.0, num_pixels=1):
    """Return a plan that believes in two places, left and right of the goal pixel."""
    maps = torch.zeros(1, AHEAD, num_pixels, HEIGHT // 2, WIDTH // 2)
    maps[..., 2, 3] = 0.5
    maps[..., 2, 6] = 0.5
    prediction = Prediction(
        frames=torch.full((1, AHEAD, 3, HEIGHT, WIDTH), grey),
        pixel_maps=maps,
        lost=torch.zeros(1, AHEAD, num_pixels),
        carry=None,
        frame_size=(HEIGHT, WIDTH),
    )
    return Plan(torch.zeros(AHEAD, 2), GOAL.sources, prediction, (), 0.0)


def episode(num_actions, grey=255):
    """Return an episode of frames of one grey, whose point is 4 rows and 3 columns off the goal."""
    places = np.tile(np.array([[8.5, 12.5]], np.float32), (num_actions + 1, 1, 1))
    return Episode(
        actions=np.zeros((num_actions, 2), np.float32),
        frames=np.full((num_actions + 1, HEIGHT, WIDTH, 3), grey, np.uint8),
        states=np.zeros((num_actions + 1, 2), np.float32),
        tracks=places,
        meta={},
    )


def test_the_expected_distance_is_no_distance_of_the_expected_place():
    assert score(plan(), GOAL) == Scores((3.0, 3.0))


def test_errors_are_known_as_far_as_something_has_happened():
    scores = score(plan(), GOAL, episode(3), step=2)
    assert scores.distance == (3.0, 3.0)
    assert scores.pixel_px == pytest.approx((5.0,)), "one action has followed"
    assert scores.image == pytest.approx((1.0,)), "black is as far from white as can be"
    assert score(plan(), GOAL, episode(3)).image == pytest.approx((1.0, 1.0))


def test_a_goal_image_is_measured_by_itself_and_without_points_no_pixel_has_an_error():
    goal = ImageGoal(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
    scores = score(plan(grey=1.0, num_pixels=0), goal, episode(2))
    assert scores == Scores((0.0, 0.0), (), (0.0, 0.0))
