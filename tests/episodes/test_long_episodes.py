"""Long episodes are checked, cut and hashed by parts: their frames stay in the file."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import read_episode, read_packed, write_episode
from visual_foresight.episodes.formats.hdf5 import layout
from visual_foresight.episodes.info import DatasetInfo, write_info
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.remarks import remarks_on
from visual_foresight.episodes.source import identity
from visual_foresight.episodes.validation import validate
from visual_foresight.types import UserError, Workspace

SIZE = (48, 64)
LENGTH = 300
EPISODE = noise_episode(num_actions=LENGTH - 1, num_tracks=0, frame_size=SIZE)
FRAME = EPISODE.frames[0].nbytes
INFO = DatasetInfo(
    env="robot",
    frame_size=SIZE,
    state_size=5,
    workspace=Workspace((0.0, 0.0), (1.0, 1.0), (0.02, 0.02)),
    homography=None,
    renderer="camera",
    package_version="0",
    collection={"recorded_by": "robot"},
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an episode that is long, where 16 frames are many."""
    monkeypatch.setattr(layout, "ONE_CHUNK", 16 * FRAME)
    monkeypatch.setattr(layout, "CHUNK", 4 * FRAME)
    write_info(tmp_path, INFO)
    write_episode(tmp_path, 0, EPISODE)
    return tmp_path


@contextmanager
def frames_held(limit: int) -> Iterator[None]:
    """Require that memory never grows by more than so many frames."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit * FRAME < EPISODE.frames.nbytes / 3


@pytest.mark.parametrize(
    "work",
    [
        lambda folder: validate(folder),
        lambda folder: identity(Episodes(folder)),
        lambda folder: Episodes(folder).clip([(0, 3), (0, 200)], 5),
    ],
    ids=["validated", "hashed", "cut"],
)
def test_no_more_than_some_frames_are_held_at_once(
    folder: Path, work: Callable[[Path], object]
) -> None:
    work(folder)  # imports, and h5py's own tables
    with frames_held(90):  # of 300; those that are kept for the next slice are among them
        work(folder)


def test_a_long_episode_is_the_same_by_parts(folder: Path) -> None:
    packed = read_packed(folder / "episode_000000.hdf5")
    assert len(packed.frames) == LENGTH and packed.frames.shape == EPISODE.frames.shape
    for window in (
        slice(5, 19),
        slice(0, 4),
        slice(None),
        slice(-3, None),
        slice(40, 10, -7),
        slice(9, 9),
        slice(290, 900),
    ):
        np.testing.assert_array_equal(packed.frames[window], EPISODE.frames[window])
    packed.frames[:5][:] = 0
    np.testing.assert_array_equal(packed.frames[:9], EPISODE.frames[:9])
    assert packed.digest() == PackedEpisode.pack(EPISODE).digest()
    assert list(remarks_on(packed)) == list(remarks_on(EPISODE))
    np.testing.assert_array_equal(packed.unpack().frames, EPISODE.frames)


def test_a_damaged_part_is_noticed(folder: Path) -> None:
    path = folder / "episode_000000.hdf5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x5A
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged or no episode"):
        read_packed(path)
    assert validate(folder).num_sound == 0


def test_a_file_that_changes_while_it_is_used_is_named(folder: Path) -> None:
    packed = Episodes(folder).packed(0)
    path = write_episode(folder, 0, noise_episode(7, num_actions=299, frame_size=SIZE))
    with pytest.raises(UserError, match=f"{path.name} was changed since it was read first: "):
        packed.frames[100:101]
    path.unlink()
    with pytest.raises(UserError, match=f"{path.name} is missing"):
        packed.frames[100:101]


@pytest.mark.parametrize("chunks", [(LENGTH, *SIZE, 3), None, (5, 24, 32, 3)])
def test_a_file_with_other_chunks_is_read_alike(
    folder: Path, chunks: tuple[int, ...] | None
) -> None:
    path = folder / "episode_000000.hdf5"
    with h5py.File(path, "r+") as file:
        place = layout.ARRAYS["frames"][0]
        del file[place]
        file.create_dataset(place, data=EPISODE.frames, chunks=chunks)
    packed = read_packed(path)
    np.testing.assert_array_equal(packed.frames[3:9], EPISODE.frames[3:9])
    np.testing.assert_array_equal(packed.frames[:], read_episode(path).frames)
