"""A recording whose program is killed loses no step: what is on the disk becomes an episode."""

import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.episodes.formats.hdf5 import layout
from visual_foresight.episodes.info import DatasetInfo, write_info
from visual_foresight.episodes.recording import Recording
from visual_foresight.episodes.recovery import recover, recover_all
from visual_foresight.episodes.validation import validate
from visual_foresight.types import Episode, Observation, UserError, Workspace

NOISE = noise_episode(num_actions=23, num_tracks=0)
FLAT = np.zeros_like(NOISE.frames) + np.arange(24, dtype=np.uint8)[:, None, None, None]
INFO = DatasetInfo(
    env="robot",
    frame_size=(6, 10),
    state_size=5,
    workspace=Workspace((0.0, 0.0), (1.0, 1.0), (0.02, 0.02)),
    homography=None,
    renderer="camera",
    package_version="0",
    collection={"recorded_by": "robot"},
)
EPISODES = {
    "noise": replace(NOISE, meta={}),  # its chunks do not get smaller, and are not compressed
    "flat": replace(NOISE, meta={}, frames=FLAT),
    "two views": replace(
        NOISE,
        meta={},
        frames=FLAT,
        other_views={"side": NOISE.frames[:, ::-1, 1:]},
        signals={"force": np.arange(23, dtype=np.float32) / 3},
    ),
}
CASES = [(name, 19, is_long) for name in EPISODES for is_long in (False, True)]
CASES += [("noise", 5, False), ("noise", 0, False)]
RECORD = """
import os, signal, sys
from pathlib import Path
from tests.episodes.test_recovery import CASES, EPISODES, begin
from visual_foresight.episodes.formats.hdf5 import layout
plain = layout.ONE_CHUNK, layout.CHUNK
recordings = []
for name, num_steps, is_long in CASES:
    episode, size = EPISODES[name], EPISODES[name].frames[0].nbytes
    layout.ONE_CHUNK, layout.CHUNK = (4 * size, 3 * size) if is_long else plain
    folder = Path(sys.argv[1]) / f"{name} {num_steps} {is_long}"
    recordings.append(begin(folder, 7, episode, num_steps))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what is left where a program records all cases, and is killed."""
    folder = tmp_path_factory.mktemp("killed")
    words = [sys.executable, "-c", RECORD, str(folder)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    return folder


def observation(episode: Episode, step: int) -> Observation:
    frames = {"front": episode.frames[step]}
    for name, each in episode.other_views.items():
        frames[name] = each[step]
    signals = {name: float(values[step - 1]) for name, values in episode.signals.items()}
    return Observation(frames, episode.states[step], signals if step else {})


def begin(folder: Path, number: int, episode: Episode, num_steps: int) -> Recording:
    recording = Recording(folder, number, observation(episode, 0))
    for step in range(num_steps):
        recording.add(episode.actions[step], observation(episode, step + 1))
    return recording


def killed(left: Path, folder: Path, name: str, num_steps: int, is_long: bool) -> Path:
    """Put what is left of a case into a folder, and return the hidden file."""
    shutil.copytree(left / f"{name} {num_steps} {is_long}", folder, dirs_exist_ok=True)
    return folder / ".episode_000007.recording.tmp.hdf5"


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("name", EPISODES)
def test_no_step_is_lost_where_the_program_is_killed(
    tmp_path: Path, left: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_long: bool
) -> None:
    hidden = killed(left, tmp_path, name, 19, is_long)
    episode = EPISODES[name]
    if is_long:
        monkeypatch.setattr(layout, "ONE_CHUNK", 4 * episode.frames[0].nbytes)
        monkeypatch.setattr(layout, "CHUNK", 3 * episode.frames[0].nbytes)
    path = recover(hidden)
    assert list(tmp_path.iterdir()) == [path]
    until_then = Episode(
        episode.actions[:19],
        episode.frames[:20],
        episode.states[:20],
        episode.tracks[:20],
        signals={each: values[:19] for each, values in episode.signals.items()},
        other_views={each: frames[:20] for each, frames in episode.other_views.items()},
    )
    assert path.read_bytes() == write_episode(tmp_path, 8, until_then).read_bytes()


def test_what_a_killed_program_left_is_named_and_kept(tmp_path: Path, left: Path) -> None:
    write_info(tmp_path, INFO)
    write_episode(tmp_path, 0, EPISODES["noise"])
    hidden = killed(left, tmp_path, "noise", 5, False)
    (problem,) = validate(tmp_path).problems
    assert problem.path == hidden and "validate --recover" in problem.advice
    with pytest.raises(UserError, match=r"whose program was killed: `validate .* --recover`"):
        read_episode(hidden)
    with pytest.raises(
        UserError, match=r"choose another number; `validate .* --recover` keeps"
    ):
        Recording(tmp_path, 7, observation(NOISE, 0))
    assert len(Episodes(tmp_path)) == 1, "the others can be used meanwhile"
    assert recover_all(tmp_path) == [tmp_path / "episode_000007.hdf5"]
    assert (validate(tmp_path).num_sound, validate(tmp_path).problems) == (2, ())
    assert recover_all(tmp_path) == []


def test_what_goes_on_is_left_alone(tmp_path: Path) -> None:
    recording = begin(tmp_path, 7, NOISE, 3)
    with pytest.raises(UserError, match=r"episode_000007.hdf5 is being recorded now: end that"):
        recover_all(tmp_path)
    assert len(read_episode(recording.finish()).actions) == 3
    assert recover_all(tmp_path) == []


@pytest.mark.parametrize("num_bytes", [1, 300])
def test_a_step_that_was_cut_off_is_left_out(
    tmp_path: Path, left: Path, num_bytes: int
) -> None:
    hidden = killed(left, tmp_path, "noise", 5, False)
    for end in (".steps", ".frames"):
        path = hidden.with_suffix(end)
        path.write_bytes(path.read_bytes()[:-num_bytes])
    kept = read_episode(recover(hidden))
    assert 3 <= len(kept.actions) <= 4
    np.testing.assert_array_equal(kept.frames, NOISE.frames[: len(kept.frames)])


def test_what_has_no_step_is_said_to_be_nothing(tmp_path: Path, left: Path) -> None:
    hidden = killed(left, tmp_path, "noise", 0, False)
    with pytest.raises(UserError, match="has no step that was written whole: delete it"):
        recover(hidden)
    hidden.with_suffix(".steps").unlink()
    with pytest.raises(UserError, match="has no step that was written whole .*: delete it"):
        recover(hidden)


def test_an_episode_of_the_same_number_is_not_lost(tmp_path: Path, left: Path) -> None:
    hidden = killed(left, tmp_path, "noise", 5, False)
    before = write_episode(tmp_path, 7, NOISE).read_bytes()
    with pytest.raises(UserError, match=r"episode_000007.hdf5 is there already, and "):
        recover(hidden)
    assert (tmp_path / "episode_000007.hdf5").read_bytes() == before and hidden.exists()
