"""Recordings are written as they come, and are the same files as episodes written at once."""

import errno
import resource
import signal
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.episodes.formats.hdf5 import layout
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
        monkeypatch.setattr(layout, "ONE_CHUNK", 4 * SHORT.frames[0].nbytes)
        monkeypatch.setattr(layout, "CHUNK", 3 * SHORT.frames[0].nbytes)
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
        assert np.prod(chunks) <= layout.CHUNK < 2**32
    np.testing.assert_array_equal(read_episode(path).frames, frames)


def test_memory_does_not_grow_with_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "ONE_CHUNK", 2**17)
    monkeypatch.setattr(layout, "CHUNK", 2**16)
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


def fail_once(
    monkeypatch: pytest.MonkeyPatch, name: str, fail: Callable[[], None], when: str
) -> None:
    """Let a method of HDF5's arrays fail when it is called first, before or after its work."""
    original = getattr(h5py.Dataset, name)
    calls: list[str] = []

    def failing(self: h5py.Dataset, *arguments: Any, **options: Any) -> None:
        is_first = not calls
        calls.append(name)
        if is_first and when == "before":
            fail()
        original(self, *arguments, **options)
        if is_first and when == "after":
            fail()

    monkeypatch.setattr(h5py.Dataset, name, failing)


def interrupt() -> None:
    raise KeyboardInterrupt


def signal_interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ONE_CHUNK", 4 * SHORT.frames[0].nbytes)
    monkeypatch.setattr(layout, "CHUNK", 3 * SHORT.frames[0].nbytes)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["resize", "__setitem__"])
@pytest.mark.parametrize("fail", [interrupt, signal_interrupt])
@pytest.mark.usefixtures("small_chunks")
def test_an_interruption_while_frames_are_written_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail: Any, name: str, when: str
) -> None:
    episode = replace(SHORT, other_views=VIEWS)
    fail_once(monkeypatch, name, fail, when)
    with (
        pytest.raises(KeyboardInterrupt),
        Recording(tmp_path, 0, observation(episode, 0)) as recording,
    ):
        for step, action in enumerate(episode.actions):
            recording.add(action, observation(episode, step + 1))
    assert 4 <= len(recording) < 7
    kept = read_episode(tmp_path / "episode_000000.hdf5")
    length = len(recording) + 1
    np.testing.assert_array_equal(kept.frames, episode.frames[:length])
    np.testing.assert_array_equal(kept.states, episode.states[:length])
    np.testing.assert_array_equal(kept.other_views["side"], VIEWS["side"][:length])
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("small_chunks")
def test_a_disk_that_is_full_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    fail_once(monkeypatch, "__setitem__", fill_disk, when)
    refused = 0
    with Recording(tmp_path, 0, observation(SHORT, 0)) as recording:
        for step, action in enumerate(SHORT.actions):
            try:
                recording.add(action, observation(SHORT, step + 1))
            except UserError as error:
                refused += 1
                assert "waits in memory: make room" in str(error)
    assert refused == 1
    kept = read_episode(tmp_path / "episode_000000.hdf5")
    np.testing.assert_array_equal(kept.frames, SHORT.frames)
    np.testing.assert_array_equal(kept.actions, SHORT.actions)


def test_a_full_disk_is_said_while_recording(
    tmp_path: Path, length: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        fill_disk()

    with monkeypatch.context() as patch:
        patch.setattr("visual_foresight.system.files.os.fsync", full)
        with (
            pytest.raises(UserError, match=r"is not finished .*: make room"),
            Recording(tmp_path, 0, observation(SHORT, 0)) as recording,
        ):
            for step, action in enumerate(SHORT.actions):
                recording.add(action, observation(SHORT, step + 1))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        f".episode_000000.recording.tmp.{end}" for end in ("hdf5", "steps", "frames")
    }
    recording.finish()  # there is room again
    np.testing.assert_array_equal(
        read_episode(tmp_path / "episode_000000.hdf5").frames, SHORT.frames
    )
    assert len(list(tmp_path.iterdir())) == 1


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let no file grow beyond this, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_is_really_full_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "ONE_CHUNK", 2**16)
    monkeypatch.setattr(layout, "CHUNK", 2**15)
    episode = noise_episode(num_actions=40, num_tracks=0, frame_size=(64, 64))
    recording = Recording(tmp_path, 0, observation(episode, 0))
    with files_up_to(600_000):
        for step, action in enumerate(episode.actions):
            with suppress(UserError):
                recording.add(action, observation(episode, step + 1))
        with pytest.raises(UserError, match=r"kept in .*/\.episode_000000.recording.tmp.hdf5"):
            recording.finish()
    kept = read_episode(recording.finish())
    np.testing.assert_array_equal(kept.frames, episode.frames)
    np.testing.assert_array_equal(kept.states, episode.states)


def test_a_number_is_reserved_while_it_is_recorded(tmp_path: Path) -> None:
    with Recording(tmp_path, 0, observation(SHORT, 0)) as recording:
        with pytest.raises(UserError, match="is being recorded.*choose another number"):
            Recording(tmp_path, 0, observation(SHORT, 0))
        recording.add(SHORT.actions[0], observation(SHORT, 1))
    with Recording(tmp_path, 1, observation(SHORT, 0)) as recording:
        recording.add(SHORT.actions[0], observation(SHORT, 1))
        other = write_episode(tmp_path, 1, SHORT).read_bytes()
        with pytest.raises(UserError, match="written by another program: .* kept in "):
            recording.finish()
        assert (tmp_path / "episode_000001.hdf5").read_bytes() == other
        recording.discard()


def as_users_see_it(frame: np.ndarray, state: np.ndarray) -> Observation:
    """Return an observation of other types, as where shapes and types are not checked."""
    seen = Observation.single(SHORT.frames[0], SHORT.states[0])
    object.__setattr__(seen, "frames", {"front": frame})
    object.__setattr__(seen, "state", state)
    return seen


def test_an_encoder_may_rest_at_a_large_number(tmp_path: Path) -> None:
    angles = np.array([0, 1e5, 1e5 + 0.003, 1e5 + 0.007, 2e5])
    states = np.stack([angles, angles], 1)
    frames = SHORT.frames[:5]
    tracks = np.zeros((5, 0, 2), np.float32)
    with Recording(tmp_path, 0, as_users_see_it(frames[0], states[0])) as recording:
        for step in range(4):
            seen = as_users_see_it(frames[step + 1], states[step + 1])
            recording.add(SHORT.actions[step], seen)
    kept = read_episode(tmp_path / "episode_000000.hdf5")
    np.testing.assert_array_equal(kept.states, states.astype(np.float32))
    assert kept.tracks.shape == tracks.shape


def test_one_scale_of_floats_holds_for_a_recording(tmp_path: Path) -> None:
    bright = SHORT.frames.astype(np.float32)
    dark = np.minimum(SHORT.frames, 1).astype(np.float32)
    state = SHORT.states[0]
    with Recording(tmp_path, 0, as_users_see_it(bright[0], state)) as recording:
        recording.add(SHORT.actions[0], as_users_see_it(dark[1], state))
    kept = read_episode(tmp_path / "episode_000000.hdf5")
    np.testing.assert_array_equal(kept.frames, [SHORT.frames[0], dark[1]])
    with pytest.raises(UserError, match="frame 0 has floats of 0 and 1 alone"):
        Recording(tmp_path, 1, as_users_see_it(dark[0], state))
    opaque = np.concatenate([0 * dark[0], np.ones((6, 10, 1), np.float32)], -1)
    with Recording(tmp_path, 2, as_users_see_it(opaque, state)) as recording:  # black, too
        opaque[..., :3] = bright[1] / 255
        recording.add(SHORT.actions[0], as_users_see_it(opaque, state))
    kept = read_episode(tmp_path / "episode_000002.hdf5")
    np.testing.assert_array_equal(kept.frames, [0 * SHORT.frames[0], SHORT.frames[1]])
    black = np.zeros_like(dark[0])
    with Recording(tmp_path, 1, as_users_see_it(black, state)) as recording:
        with pytest.raises(UserError, match="frame 1 has floats of 0 and 1 alone"):
            recording.add(SHORT.actions[0], as_users_see_it(dark[1], state))
        recording.add(SHORT.actions[0], as_users_see_it(bright[1] / 255, state))
        recording.add(SHORT.actions[0], as_users_see_it(dark[2], state))
    kept = read_episode(tmp_path / "episode_000001.hdf5")
    np.testing.assert_array_equal(kept.frames[1:], [SHORT.frames[1], 255 * dark[2]])
