"""What the table and the arm look like is learnt from films."""

import numpy as np
import pytest

from tests.fakes.films import SIDE, film, scenery
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.rigid_tracks.scenery import Scenery


@pytest.fixture(scope="module")
def known() -> Scenery:
    return scenery()


def test_the_empty_table_is_known(known: Scenery) -> None:
    np.testing.assert_array_equal(known.empty, np.full_like(known.empty, 110))


def test_the_arm_is_known_from_the_robots_state(known: Scenery) -> None:
    episode = film(3)
    arm = known.arm(episode.states)
    for t in range(len(arm)):
        truth = np.zeros_like(arm[t])
        truth[4 : 4 + SIDE, 4 + 3 * t : 4 + 3 * t + SIDE] = True
        assert (arm[t] & truth).sum() / (arm[t] | truth).sum() > 0.95


def test_the_foreground_is_what_differs_from_the_empty_table(known: Scenery) -> None:
    episode = film(3)
    differs = (np.abs(episode.frames.astype(int) - 110) > 25).any(-1)
    np.testing.assert_array_equal(known.foreground(episode.frames), differs)


def test_what_is_not_seen_often_enough_is_no_arm() -> None:
    """Where no frame has shown the robot, no pixel is taken for its arm."""
    known = Scenery.learn([PackedEpisode.pack(film(0))], np.eye(3))
    assert not known.arm(np.array([[39.0, 0.0]], np.float32)).any()
