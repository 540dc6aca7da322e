"""Packed episodes are the episodes."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.packed import PackedEpisode, PackedFrames


@st.composite
def films(draw: st.DrawFn) -> np.ndarray:
    """Return frames of which most pixels are like the first frame's."""
    height, width, count = draw(st.tuples(*[st.integers(1, 6)] * 3))
    first = draw(arrays.arrays(np.uint8, (height, width, 3)))
    noise = draw(arrays.arrays(np.uint8, (count, height, width, 3)))
    changed = draw(arrays.arrays(np.bool_, (count, height, width, 3), fill=st.just(False)))
    frames = np.where(changed, noise, first)
    frames[0] = first
    return frames


@given(films(), st.slices(8))
def test_a_slice_of_packed_frames_is_the_slice(frames: np.ndarray, window: slice) -> None:
    packed = PackedFrames(frames)
    assert len(packed) == len(frames)
    np.testing.assert_array_equal(packed[window], frames[window])
    assert packed[window].dtype == np.uint8


@given(films())
def test_frames_that_were_unpacked_can_be_written_to(frames: np.ndarray) -> None:
    packed = PackedFrames(frames)
    packed[:][:] = 0
    np.testing.assert_array_equal(packed[:], frames)


@given(films(), st.integers(0, 3))
def test_an_episode_is_unpacked_as_it_was(frames: np.ndarray, num_tracks: int) -> None:
    noise = noise_episode(num_actions=len(frames) - 1, num_tracks=num_tracks)
    episode = replace(noise, frames=frames, other_views={"side": frames[:, ::-1]})
    unpacked = PackedEpisode.pack(episode).unpack()
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(unpacked, name), getattr(episode, name))
    np.testing.assert_array_equal(unpacked.other_views["side"], frames[:, ::-1])
    assert unpacked.meta == episode.meta
