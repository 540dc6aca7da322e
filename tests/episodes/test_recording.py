"""Recordings are written as they come, and are the same files as episodes written at once."""

import errno
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.episodes.formats import hdf5
from visual_foresight.episodes.info import DatasetInfo, write_info
from visual_foresight.episodes.recording import Recording
from visual_foresight.types import Episode, Observation, UserError, Workspace

SHORT = noise_episode(num_actions=7, num_tracks=0)
VIEWS = {"side": SHORT.frames[:, ::-1, 1:]}


def observation(episode: Episode, step: int) -> Observation:
    frames = {"front": episode.frames[step]}
    for name, each in episode.other_views.items():
        frames[name] = each[step]
    signals = {name: float(values[step - 1]) for name, values in episode.signals.items()}
    return Observation(frames, episode.states[step], signals if step else {})


def record(folder: Path, number: int, episode: Episode) -> Path:
    with Recording(folder, number, observation(episode, 0)) as recording:
        recording.notes.update(episode.meta)
        for step, action in enumerate(episode.actions):
            recording.add(action, observation(episode, step + 1))
        return recording.finish()


@pytest.fixture(params=["short", "long"])
def length(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "long":
        monkeypatch.setattr(hdf5, "ONE_CHUNK", 4 * SHORT.frames[0].nbytes)
        monkeypatch.setattr(hdf5, "CHUNK", 3 * SHORT.frames[0].nbytes)
    return str(request.param)


@pytest.mark.parametrize("has_more", [False, True])
def test_a_recording_is_the_file_of_its_episode(
    tmp_path: Path, length: str, has_more: bool
) -> None:
    episode = SHORT
    if has_more:
        signals = {"force": np.arange(7, dtype=np.float32)}
        arrays = (SHORT.actions, SHORT.frames, SHORT.states, SHORT.tracks)
        episode = Episode(*arrays, {"robot": "arm 2"}, signals, VIEWS)
    recorded = record(tmp_path, 1, episode)
    at_once = write_episode(tmp_path, 2, episode)
    assert recorded.read_bytes() == at_once.read_bytes()
    again = read_episode(recorded)
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(again, name), getattr(episode, name))
    assert again.meta == episode.meta and again.signals.keys() == episode.signals.keys()
    assert again.other_views.keys() == episode.other_views.keys()
    for name, frames in again.other_views.items():
        np.testing.assert_array_equal(frames, episode.other_views[name])
    with h5py.File(recorded) as file:
        frames = file["data/demo_0/obs/agentview_image"]
        assert frames.chunks == (3 if length == "long" else 8, 6, 10, 3)
    assert sorted(path.name[:7] for path in tmp_path.iterdir()) == ["episode"] * 2


def test_a_long_episode_has_small_chunks_and_is_checked(tmp_path: Path) -> None:
    frames = np.zeros((90, 256, 256, 3), np.uint8)
    frames[:, 0, 0, 0] = np.arange(90)
    length = len(frames)
    zeros = np.zeros((length, 4), np.float32)
    episode = Episode(zeros[1:, :2], frames, zeros, np.zeros((length, 0, 2), np.float32))
    path = write_episode(tmp_path, 0, episode)
    with h5py.File(path) as file:
        chunks = file["data/demo_0/obs/agentview_image"].chunks
        assert np.prod(chunks) <= hdf5.CHUNK < 2**32
    np.testing.assert_array_equal(read_episode(path).frames, frames)


def test_memory_does_not_grow_with_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5, "ONE_CHUNK", 2**17)
    monkeypatch.setattr(hdf5, "CHUNK", 2**16)
    frame = np.zeros((64, 64, 3), np.uint8)
    seen = Observation.single(frame, np.zeros(2, np.float32))
    with Recording(tmp_path, 0, seen) as recording:
        for _ in range(30):
            recording.add(np.zeros(2), seen)
        tracemalloc.start()
        for _ in range(70):
            recording.add(np.zeros(2), seen)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert grown < 2**18 < 70 * frame.nbytes
    assert len(read_episode(tmp_path / "episode_000000.hdf5").actions) == 100


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_was_recorded_before_an_interruption_is_kept(
    tmp_path: Path, length: str, error: type[BaseException]
) -> None:
    with pytest.raises(error), Recording(tmp_path, 5, observation(SHORT, 0)) as recording:
        for step in range(5):
            recording.add(SHORT.actions[step], observation(SHORT, step + 1))
        raise error
    assert len(recording) == 5
    kept = read_episode(tmp_path / "episode_000005.hdf5")
    np.testing.assert_array_equal(kept.frames, SHORT.frames[:6])


def test_what_is_discarded_leaves_no_file(tmp_path: Path, length: str) -> None:
    with Recording(tmp_path, 5, observation(SHORT, 0)) as recording:
        for step in range(7):
            recording.add(SHORT.actions[step], observation(SHORT, step + 1))
        recording.discard()
    with pytest.raises(KeyError), Recording(tmp_path, 6, observation(SHORT, 0)):
        raise KeyError  # nothing was recorded
    assert not list(tmp_path.iterdir())


def test_a_step_that_breaks_a_law_is_refused_when_it_comes(tmp_path: Path) -> None:
    workspace = Workspace((0.0, 0.0), (1.0, 1.0), (0.1, 0.1))
    write_info(
        tmp_path,
        DatasetInfo("robot", (6, 10), 5, workspace, None, "camera", "0", {"recorded_by": "me"}),
    )
    second = observation(SHORT, 1)
    with Recording(tmp_path, 0, observation(SHORT, 0)) as recording:
        recording.add(SHORT.actions[0].astype(np.float64), second)
        with pytest.raises(UserError, match=r"the step to frame 2 has actions from .* to 40"):
            recording.add([0.0, 40.0], second)
        with pytest.raises(UserError, match=r"frame 2 has the size \(5, 10, 3\), the first"):
            small = {"front": SHORT.frames[1][1:]}
            recording.add(SHORT.actions[1], Observation(small, SHORT.states[1]))
        with pytest.raises(UserError, match=r"action 1 has the size \(3,\), the first"):
            recording.add(np.zeros(3), second)
        with pytest.raises(UserError, match="frame 2 is of the views front, side"):
            two = {"front": SHORT.frames[1], "side": SHORT.frames[1]}
            recording.add(SHORT.actions[1], Observation(two, SHORT.states[1]))
    assert len(read_episode(tmp_path / "episode_000000.hdf5").actions) == 1
    with pytest.raises(UserError, match="episode_000000.hdf5 is there already"):
        Recording(tmp_path, 0, observation(SHORT, 0))


@pytest.mark.parametrize("notes", [{"robot": {1}}, {"track_kinds": None}])
def test_wrong_notes_do_not_lose_the_recording(
    tmp_path: Path, length: str, notes: dict[str, object]
) -> None:
    with pytest.raises(UserError, match="is written without its notes and tracks: "):
        record(tmp_path, 0, replace(SHORT, meta=notes))
    kept = read_episode(tmp_path / "episode_000000.hdf5")
    np.testing.assert_array_equal(kept.frames, SHORT.frames)
    assert kept.meta == {}


def test_a_clock_is_refused_when_it_comes(tmp_path: Path) -> None:
    def seen(time_s: float) -> Observation:
        return Observation.single(SHORT.frames[0], SHORT.states[0], {"time": time_s})

    with Recording(tmp_path, 0, seen(1.7e9)) as recording:
        recording.add(SHORT.actions[0], seen(1.7e9))
        with pytest.raises(UserError, match="'time' up to frame 2: 1.* less a constant"):
            recording.add(SHORT.actions[0], seen(1.7e9 + 0.07))
    assert len(read_episode(tmp_path / "episode_000000.hdf5").actions) == 1


def test_a_full_disk_is_said_while_recording(
    tmp_path: Path, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("visual_foresight.system.files.os.fsync", full)
    with pytest.raises(UserError, match="full"):
        record(tmp_path, 0, SHORT)
    assert not list(tmp_path.iterdir())
