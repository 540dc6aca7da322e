"""Where the hand is seen is found from films alone, and it is said how well."""

import numpy as np
import pytest

from tests.fakes.pushes import TO_FRAME, push_film
from visual_foresight.types import UserError
from visual_foresight.vision.hand_eye import (
    Touches,
    find_changes,
    find_touches,
    fit_hand_eye,
)
from visual_foresight.vision.homography import apply_homography


def touches_of(numbers: range) -> Touches:
    films = [push_film(number) for number in numbers]
    return Touches.joined([find_touches(each.frames, each.states) for each in films])


def true_places(states: np.ndarray) -> np.ndarray:
    return apply_homography(states[:, 1:], TO_FRAME)


def test_the_hand_is_found_where_things_begin_to_move() -> None:
    hand_eye = fit_hand_eye(touches_of(range(160)))
    states = np.concatenate([push_film(number).states for number in range(200, 230)])
    missed_px = np.linalg.norm(hand_eye.places(states) - true_places(states), axis=1)
    assert np.median(missed_px) < 0.7
    assert hand_eye.spread_px < 1.0
    assert 3 < hand_eye.ahead_px < 10  # the disc's radius and some of the block


def test_more_films_are_trusted_more() -> None:
    few = fit_hand_eye(touches_of(range(50)))
    many = fit_hand_eye(touches_of(range(160)))
    assert many.num_steps > few.num_steps
    assert many.spread_px < few.spread_px


def test_exact_touches_give_the_exact_camera() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform([0, 0], [0.3, 0.3], (200, 2))
    after = before + rng.normal(0, 0.02, (200, 2))
    way = apply_homography(after, TO_FRAME) - apply_homography(before, TO_FRAME)
    direction = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 0.3)
    touches = Touches(
        apply_homography(after, TO_FRAME) + 4 * direction,
        before,
        after,
        np.arange(200),
        np.concatenate([before, after]),
    )
    hand_eye = fit_hand_eye(touches)
    missed_px = np.linalg.norm(
        hand_eye.places(after) - apply_homography(after, TO_FRAME), axis=1
    )
    assert missed_px.max() < 0.2
    assert hand_eye.ahead_px == pytest.approx(4, abs=0.2)


def test_a_robot_that_is_all_hand_is_found_by_what_changes() -> None:
    states = np.random.default_rng(1).uniform(8, 40, (60, 2))
    frames = np.zeros((60, 48, 64, 3), np.uint8)
    for frame, (row, col) in zip(frames, states.round().astype(int), strict=True):
        frame[row - 1 : row + 2, col - 1 : col + 2] = 255
    changes = find_changes(frames, states)
    middles = (states[:-1] + states[1:]) / 2
    assert np.abs(changes.places - middles).max() < 1


def test_films_without_a_touch_are_refused_in_a_sentence() -> None:
    frames = np.zeros((8, 16, 24, 3), np.uint8)
    touches = find_touches(frames, np.zeros((8, 2)))
    with pytest.raises(UserError, match=r"0: record more"):
        fit_hand_eye(touches)
