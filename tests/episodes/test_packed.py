"""Packed episodes are the episodes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from visual_foresight.episodes.packed import PackedEpisode, PackedFrames
from visual_foresight.types import Episode


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
    rng = np.random.default_rng(0)
    count = len(frames)
    episode = Episode(
        actions=rng.normal(size=(count - 1, 2)).astype(np.float32),
        frames=frames,
        states=rng.normal(size=(count, 4)).astype(np.float32),
        tracks=rng.normal(size=(count, num_tracks, 2)).astype(np.float32),
        meta={"seed": 1},
    )
    unpacked = PackedEpisode.pack(episode).unpack()
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(unpacked, name), getattr(episode, name))
    assert unpacked.meta == episode.meta
