"""Points followed by frames alone: known answers."""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from tests.fakes.episodes import patch_episode
from tests.fakes.films import film
from visual_foresight.training.teachers.optical_flow import (
    LIFE_STEPS,
    NUM_OTHERS,
    follow_points,
)

SIZE = (24, 32)


def test_points_on_a_patch_move_as_it_does() -> None:
    actions = np.array([(0.5, 0.0), (0.0, 0.5), (0.5, -0.5), (0.0, 0.5)])
    episode = patch_episode(0, SIZE, actions)
    tracks = follow_points(episode.frames)
    moves = tracks.moved().any(0)
    assert moves.sum() > 5
    steps = np.diff(tracks.places, axis=0)
    known = tracks.valid[1:] & tracks.valid[:-1] & moves
    missed = np.linalg.norm(steps - 2 * actions[:, None], axis=-1)[known]
    assert np.median(missed) < 0.1


def test_a_plain_ground_rests_without_texture() -> None:
    frames = np.full((6, *SIZE, 3), 90, np.uint8)
    tracks = follow_points(frames)
    assert tracks.valid[0].sum() == NUM_OTHERS and tracks.valid[-1].all()
    assert not tracks.moved().any()


def test_what_changes_all_over_is_lost() -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (5, *SIZE, 3), dtype=np.uint8)
    tracks = follow_points(frames)
    assert tracks.valid[1:4].mean() < 0.2


def test_frames_alone_count() -> None:
    episode = film(3)
    other = replace(episode, states=episode.states + 1)
    np.testing.assert_array_equal(
        follow_points(episode.frames).places, follow_points(other.frames).places
    )


def test_a_single_frame_has_no_points() -> None:
    assert follow_points(np.zeros((1, *SIZE, 3), np.uint8)).places.shape == (1, 0, 2)


def test_a_point_lives_as_long_as_a_clip_and_leaves_its_column_to_another_long_after() -> None:
    frames = np.full((5 * LIFE_STEPS, *SIZE, 3), 90, np.uint8)
    valid = follow_points(frames).valid
    assert valid.any(1).all()
    for column in valid.T:
        ends = np.flatnonzero(np.diff(np.concatenate([[False], column, [False]]).astype(int)))
        lives, gaps = np.diff(ends)[::2], np.diff(ends)[1::2]
        assert (lives <= LIFE_STEPS + 1).all() and (gaps >= LIFE_STEPS - 1).all()


def test_the_work_and_the_memory_grow_as_the_frames_do(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    texture = cv2.cornerMinEigenVal

    def count(*arguments: Any) -> Any:
        looked.append(1)
        return texture(*arguments)

    monkeypatch.setattr(cv2, "cornerMinEigenVal", count)
    columns, passes = [], []
    for num_frames in (3 * LIFE_STEPS, 6 * LIFE_STEPS):
        looked.clear()
        columns.append(follow_points(np.zeros((num_frames, 8, 10, 3), np.uint8)).valid.shape[1])
        passes.append(len(looked))
    assert columns[0] == columns[1] and passes[1] <= 3 * 6 * LIFE_STEPS
