"""Films of trials: the camera beside what was imagined, with the goal on or beside them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from visual_foresight.control.animation import UNIMAGINED, trial_animation
from visual_foresight.control.trial import Trial
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.types import Episode, Pixel, Plan, Prediction
from visual_foresight.vision.drawing import GAP

HEIGHT, WIDTH = 6, 8
GREY = np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8)
PIXELS = PixelGoal((Pixel(2, 2),), (Pixel(4, 6),))


def one_hot(col):
    pixel_map = np.zeros((1, HEIGHT, WIDTH), dtype=np.float32)
    pixel_map[0, 0, col] = 1
    return pixel_map


def trial(horizon, decoded, goal=PIXELS):
    num_steps = 2
    frames = np.stack([GREY + 10 * step for step in range(num_steps + 1)]).astype(np.uint8)
    prediction = Prediction(
        frames=torch.full((1, horizon if decoded else 0, 3, HEIGHT, WIDTH), 1.0),
        pixel_maps=torch.from_numpy(
            np.stack([one_hot(step % WIDTH) for step in range(horizon)])
        )[None],
        lost=torch.zeros(1, horizon, 1),
        carry=None,
        frame_size=(HEIGHT, WIDTH),
    )
    plan = Plan(
        torch.zeros(horizon, 2), (Pixel(2, 2),), prediction, (), 0.1, torch.zeros(3, 8, 8)
    )
    episode = Episode(
        actions=np.zeros((num_steps, 2), dtype=np.float32),
        frames=frames,
        states=np.zeros((num_steps + 1, 4), dtype=np.float32),
        tracks=np.zeros((num_steps + 1, 0, 2), dtype=np.float32),
    )
    distances_m = (0.1, 0.07, 0.02) if goal.targets else ()
    return Trial(goal, episode, (plan,) * num_steps, (3.0, 2.0, 1.0), distances_m)


@pytest.mark.parametrize(("decoded", "shade"), [(True, 255), (False, 90)])
def test_trial_animation_plays_the_plans_beside_the_camera(decoded, shade):
    movie = trial_animation(trial(horizon=5, decoded=decoded), scale=4, num_glimpses=3)
    assert movie.shape[0] == 2 * 3 + 9, "3 steps of each of 2 plans, then the end, 9 times"
    half = WIDTH * 4
    assert (movie[0, -1, half + GAP] == shade).all(), (
        "the imagined frame, or the newest real one"
    )
    assert (movie[0, :, :half] == movie[2, :, :half]).all(), (
        "the camera's frame stays while a plan plays"
    )
    assert not (movie[0, 22:, half:] == movie[1, 22:, half:]).all(), "the pixel map moves"
    assert (movie[-1, -1, 0] == 110).all(), "the last real frame at the end"


def test_trial_animation_shows_a_horizon_shorter_than_the_glimpses():
    assert (
        trial_animation(trial(horizon=2, decoded=False), num_glimpses=4).shape[0] == 2 * 2 + 12
    )


@pytest.mark.parametrize("has_plans", [False, True])
def test_steps_of_which_nothing_was_imagined_are_shown_as_seen(has_plans):
    """Plans that were not kept, and those of a controller that imagines nothing."""
    seen = trial(horizon=5, decoded=False)
    nothing = Prediction.without_model(torch.zeros(1, 5, 2), (HEIGHT, WIDTH))
    plans = tuple(replace(plan, prediction=nothing) for plan in seen.plans) if has_plans else ()
    seen = replace(seen, plans=plans)
    movie = trial_animation(seen, scale=4, num_glimpses=3)
    assert movie.shape[0] == 2 + 9, "the two steps, then the end"
    assert [movie[index, -1, 0, 0] for index in (0, 1, 2)] == [90, 100, 110]
    half = WIDTH * 4
    assert (movie[:2, -1, half + GAP] == UNIMAGINED).all(), "not what was seen"


def test_the_goal_image_stands_beside_every_frame():
    goal = ImageGoal(np.full((HEIGHT, WIDTH, 3), 200, np.uint8))
    movie = trial_animation(trial(horizon=5, decoded=True, goal=goal), scale=4, num_glimpses=3)
    panel = WIDTH * 4
    for index in range(4):
        shown = movie[:, -1, index * (panel + GAP) + GAP]
        assert (shown == 200).all() == (index in (1, 3))
