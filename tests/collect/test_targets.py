"""What explorers aim at."""

import numpy as np

from visual_foresight.collect.targets import find_by_color
from visual_foresight.envs.dot import DotEnv
from visual_foresight.types import Observation


def test_the_calibrated_camera_finds_what_is_colourful() -> None:
    env = DotEnv((20, 28))
    env.reset(seed=2)
    places = find_by_color(env.homography)(env.observe())
    assert len(places) == 25
    np.testing.assert_allclose(places.mean(axis=0), env.truth()[0, :2], atol=1e-9)


def test_neither_grey_nor_the_colour_of_the_table_is_found() -> None:
    frame = np.full((20, 28, 3), (176, 150, 122), np.uint8)
    frame[:5, :5] = 40  # a dark arm
    frame[8:12, 8:12] = (150, 130, 105)  # a shadow
    observation = Observation.single(frame, np.zeros(2, np.float32))
    assert find_by_color(np.eye(3))(observation).shape == (0, 2)
    frame[15, 20] = (30, 90, 200)
    np.testing.assert_allclose(find_by_color(np.eye(3))(observation), [[15, 20]])
