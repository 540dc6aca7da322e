"""What is told about points that were followed, and which of them a clip takes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_foresight.training.teachers.point_tracks import PointTracks, choose_points

NUM_FRAMES = 8


def tracks(num_moving: int, num_resting: int, num_hidden: int) -> PointTracks:
    """Return points that move in step 4, others that rest, and others that the arm hides then."""
    count = num_moving + num_resting + num_hidden
    places = np.zeros((NUM_FRAMES, count, 2), np.float32)
    places[5:, :num_moving, 1] = 2.0
    hidden = np.zeros((NUM_FRAMES, count), bool)
    hidden[4, num_moving + num_resting :] = True
    return PointTracks(places, np.ones((NUM_FRAMES, count), bool), hidden)


def test_a_point_moves_where_it_is_valid_before_and_after() -> None:
    some = tracks(2, 1, 0)
    some.valid[4, 1] = False
    expected = np.zeros((NUM_FRAMES - 1, 3), bool)
    expected[4, 0] = True
    np.testing.assert_array_equal(some.moved(), expected)


@pytest.mark.parametrize(("num_moving", "touched"), [(2, False), (3, True)])
def test_contact_takes_several_points_that_move(num_moving: int, touched: bool) -> None:
    contact = tracks(num_moving, 5, 0).contact()
    assert contact[4] == touched
    assert not np.delete(contact, 4).any()


@given(*[st.integers(0, 12)] * 4, st.integers(0, 99))
def test_a_choice_is_balanced_and_has_no_point_twice(
    num_moving: int, num_resting: int, num_hidden: int, count: int, seed: int
) -> None:
    some = tracks(num_moving, num_resting, num_hidden)
    chosen = choose_points(some, 2, 5, count, np.random.default_rng(seed))
    there = chosen[chosen >= 0]
    assert len(chosen) == count
    assert len(there) == min(count, num_moving + num_resting + num_hidden)
    assert len(set(there)) == len(there)
    assert (there < num_moving).sum() >= min(num_moving, count // 2)
    hidden = there >= num_moving + num_resting
    assert hidden.sum() >= min(num_hidden, count // 4)


def test_a_point_that_is_lost_at_once_is_not_chosen() -> None:
    some = tracks(0, 3, 0)
    some.valid[3:, 0] = False  # seen in frame 2, not in the next
    some.valid[:3, 1] = False
    chosen = choose_points(some, 2, 5, 2, np.random.default_rng(0))
    assert chosen.tolist() == [2, -1]


def test_the_generator_decides_between_equals() -> None:
    some = tracks(0, 30, 0)

    def choice(seed: int) -> list[int]:
        return choose_points(some, 2, 5, 6, np.random.default_rng(seed)).tolist()

    assert choice(0) == choice(0) != choice(1)
