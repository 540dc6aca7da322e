"""Points followed by frames alone: known answers."""

from dataclasses import replace

import numpy as np

from tests.fakes.episodes import patch_episode
from tests.fakes.films import film
from visual_foresight.training.teachers.optical_flow import NUM_OTHERS, follow_points

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
