"""Batches: which clips they have, and that they depend on their number alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from tests.fakes.episodes import PATCH_HOMOGRAPHY, patch_episode
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.clip_sampler import CONTACT_SHARE, ClipSampler
from visual_foresight.training.teachers.cache import points_of
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.registry import DEFAULT_TEACHER

SIZE = (16, 24)


def test_a_batch_is_a_function_of_its_number(tmp_path: Path) -> None:
    episodes = [PackedEpisode.pack(patch_episode(number, SIZE)) for number in range(4)]
    sampler = ClipSampler(
        episodes,
        points_of(DEFAULT_TEACHER, episodes, [], np.array(PATCH_HOMOGRAPHY), tmp_path)[0],
    )
    one = list(sampler.batches(3, 5, context=2, seed=7, numbers=[2, 3, 4]))
    two = list(sampler.batches(3, 5, context=2, seed=7, numbers=[3, 4]))
    assert torch.equal(one[1].clip.frames, two[0].clip.frames)
    assert torch.equal(one[2].places, two[1].places)
    assert not torch.equal(one[0].clip.frames, one[1].clip.frames)
    assert one[0].clip.frames.shape == (3, 6, 3, *SIZE)
    assert one[0].places.shape[:2] == one[0].valid.shape[:2] == (3, 6)


def test_an_episode_without_a_point_to_follow_is_learnt_from_all_the_same(
    tmp_path: Path,
) -> None:
    noise = np.random.default_rng(0).integers(
        0, 255, patch_episode(0, SIZE).frames.shape, dtype=np.uint8
    )
    confused = PackedEpisode.pack(replace(patch_episode(0, SIZE), frames=noise))
    points = points_of(
        DEFAULT_TEACHER,
        [PackedEpisode.pack(patch_episode(0, SIZE))],
        [confused],
        np.array(PATCH_HOMOGRAPHY),
        tmp_path,
    )[1]
    (batch,) = ClipSampler([confused], points).batches(2, 5, context=2, seed=0, numbers=[0])
    assert not batch.valid.any()
    assert (batch.places == 0).all()


def moving_points(moved_in: int | None, num_frames: int = 10) -> PointTracks:
    """Return four points that all move in one step, or in none."""
    places = np.zeros((num_frames, 4, 2), np.float32)
    if moved_in is not None:
        places[moved_in + 1 :] = 3.0
    valid = np.ones((num_frames, 4), bool)
    return PointTracks(places, valid, np.zeros_like(valid))


def test_most_clips_have_contact() -> None:
    episodes = [PackedEpisode.pack(patch_episode(number, SIZE)) for number in range(8)]
    points = [moving_points(5 if number == 0 else None) for number in range(8)]
    (batch,) = ClipSampler(episodes, points).batches(400, 2, context=1, seed=0, numbers=[0])
    touched = (batch.places.diff(dim=1).abs().amax((1, 2, 3)) > 0).float()
    assert abs(touched.mean() - CONTACT_SHARE) < 0.06


def test_contact_before_the_newest_context_frame_does_not_count() -> None:
    """It is over when imagining begins."""
    episodes = [
        PackedEpisode.pack(patch_episode(0, SIZE)),
        PackedEpisode.pack(patch_episode(1, SIZE)),
    ]
    points = [moving_points(0), moving_points(None)]
    (batch,) = ClipSampler(episodes, points).batches(400, 3, context=2, seed=0, numbers=[0])
    first = batch.places.diff(dim=1).abs().amax((2, 3))[:, 0] > 0
    assert 0 < first.float().mean() < 0.3


def test_clips_are_slices_of_episodes() -> None:
    episodes = [PackedEpisode.pack(patch_episode(number, SIZE)) for number in range(2)]
    points = [moving_points(3), moving_points(None)]
    (batch,) = ClipSampler(episodes, points).batches(20, 4, context=2, seed=0, numbers=[0])
    for actions, states in zip(batch.clip.actions, batch.clip.states, strict=True):
        starts = [
            (number, start)
            for number, each in enumerate(episodes)
            for start in range(6)
            if np.array_equal(each.actions[start : start + 4], actions)
        ]
        ((number, start),) = starts
        np.testing.assert_array_equal(episodes[number].states[start : start + 5], states)


def test_what_a_column_holds_after_its_point_was_lost_is_another_point() -> None:
    episode = PackedEpisode.pack(patch_episode(0, SIZE))
    num_frames = len(episode.states)
    valid = np.ones((num_frames, 2), bool)
    lost = num_frames - 3
    valid[lost, 1] = False
    points = PointTracks(np.zeros((num_frames, 2, 2), np.float32), valid, np.zeros_like(valid))
    sampler = ClipSampler([episode], [points])
    (batch,) = sampler.batches(1, num_frames - 1, context=2, seed=0, numbers=[0])
    known = batch.valid[0].sum(0).sort(descending=True).values[:2]
    assert known.tolist() == [num_frames, lost]
