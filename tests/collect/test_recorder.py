"""An episode: a function of its seed and number, and true notes."""

import numpy as np
import pytest

from visual_foresight.collect.recorder import record_episode
from visual_foresight.envs.dot import PIXEL_M
from visual_foresight.envs.registry import make

SIZE = (20, 28)


def test_an_episode_depends_on_its_number_and_nothing_else() -> None:
    env = make("dot", SIZE)
    one = record_episode(env, seed=1, index=5, num_steps=4)
    different = record_episode(env, seed=1, index=6, num_steps=4)
    again = record_episode(env, seed=1, index=5, num_steps=4)
    elsewhere = record_episode(make("dot", SIZE), seed=1, index=5, num_steps=4)
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
        np.testing.assert_array_equal(getattr(one, name), getattr(elsewhere, name))
    assert (one.actions != different.actions).any()


def test_tracks_and_notes_tell_the_truth() -> None:
    episode = record_episode(make("dot", SIZE), seed=1, index=0, num_steps=6)
    kinds = np.array(episode.meta["track_kinds"])
    assert (kinds == "object").sum() == 8
    assert (kinds == "background").sum() == 4
    moves_px = np.diff(episode.states, axis=0) / PIXEL_M
    shifts = np.diff(episode.tracks, axis=0)
    for track in np.nonzero(kinds == "object")[0]:
        np.testing.assert_allclose(shifts[:, track], moves_px, atol=1e-4)
    assert (shifts[:, kinds == "background"] == 0).all()
    moves_m = np.linalg.norm(moves_px * PIXEL_M, axis=1)
    assert episode.meta["object_moved"] == (moves_m > 0.002).tolist()
    np.testing.assert_allclose(moves_px, episode.actions * 4, atol=1e-3)


@pytest.mark.slow
def test_a_quarter_of_the_steps_move_an_object_without_privilege() -> None:
    env = make("push", (24, 32))
    episodes = [record_episode(env, seed=0, index=index, num_steps=20) for index in range(8)]
    env.close()
    assert np.mean([episode.meta["object_moved"] for episode in episodes]) > 0.25


def test_push_episodes_are_the_same_whatever_came_before() -> None:
    env = make("push", (16, 20))
    first = record_episode(env, seed=3, index=1, num_steps=6)
    record_episode(env, seed=3, index=2, num_steps=3)
    again = record_episode(env, seed=3, index=1, num_steps=6)
    env.close()
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))


def test_privilege_changes_the_actions_and_not_the_scene() -> None:
    env = make("push", (16, 20))
    seen = record_episode(env, seed=0, index=0, num_steps=2)
    known = record_episode(env, seed=0, index=0, num_steps=2, privileged=True)
    env.close()
    np.testing.assert_array_equal(seen.frames[0], known.frames[0])
    assert (seen.actions != known.actions).any()
