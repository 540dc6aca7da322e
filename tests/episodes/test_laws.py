"""The laws of an episode: one list, asked when one is written, read and validated."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import episode_path, write_episode
from visual_foresight.episodes.formats.registry import episode_formats
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, read_info, write_info
from visual_foresight.episodes.laws import breach_of
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.validation import validate
from visual_foresight.types import Episode, UserError, Workspace

SIZE = (20, 28)
INFO = DatasetInfo(
    env="robot",
    frame_size=SIZE,
    state_size=2,
    workspace=Workspace((0.0, 0.0), (1.0, 1.0), (0.02, 0.02)),
    homography=None,
    renderer="camera",
    package_version="0",
    collection={"recorded_by": "robot"},
)
COLLECTED = {"steps": 3, "seed": 7}


def episode(seed: int = 0, **changes: Any) -> Episode:
    sound = noise_episode(seed, num_actions=3, frame_size=SIZE, state_size=2)
    return replace(sound, **changes)


def with_value(array: np.ndarray, place: tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[place] = value
    return changed


def write_unchecked(folder: Path, number: int, broken: Episode) -> None:
    episode_formats()["hdf5"].write(episode_path(folder, number), broken)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_info(tmp_path, INFO)
    return tmp_path


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "frames": (
        {"frames": np.zeros((4, 28, 20, 3), np.uint8)},
        r"has frames of \(height, width, channels\) \(28, 20, 3\), not \(20, 28, 3\)",
    ),
    "views": (
        {"other_views": {"side": np.zeros((4, 9, 9, 3), np.uint8)}},
        "has the further views side, not none",
    ),
    "actions": ({"actions": np.zeros((3, 4), np.float32)}, "has actions of size 4, not 2"),
    "states": ({"states": np.zeros((4, 5), np.float32)}, "has states of size 5, not 2"),
    "nan": (
        {"states": with_value(episode().states, (2, 1), np.nan)},
        "has a NaN or an infinity in states, first at frame 2",
    ),
    "inf": (
        {"actions": with_value(episode().actions, (1, 0), np.inf)},
        "has a NaN or an infinity in actions, first at action 1",
    ),
    "signal": (
        {"signals": {"reward": np.array([0, 0, np.nan], np.float32)}},
        "has a NaN or an infinity in the signal 'reward', first at action 2",
    ),
    "range": (
        {"actions": np.array([[0, 1], [0, 40], [-39, 0]], np.float32)},
        r"has actions from -39 to 40 where \[-1, 1\] is promised, first at frame 1: divide what",
    ),
    "few kinds": (
        {"meta": {"track_kinds": ["arm"]}},
        "has a list of 1 as `track_kinds` .* 3 tracks",
    ),
    "null kinds": ({"meta": {"track_kinds": None}}, "has None as `track_kinds`"),
    "moved": ({"meta": {"object_moved": None}}, "has None as `object_moved` .* 3 actions"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_law_is_named_when_written_read_and_validated(folder: Path, case: str) -> None:
    changes, sentence = BROKEN[case]
    broken = episode(**changes)
    breach = breach_of(broken, INFO)
    assert breach is not None
    assert breach == breach_of(PackedEpisode.pack(broken), INFO)
    with pytest.raises(UserError, match=f"episode_000001.hdf5 is not written.*{sentence}"):
        write_episode(folder, 1, broken)
    assert not episode_path(folder, 1).exists()
    write_episode(folder, 0, episode())
    write_unchecked(folder, 1, broken)
    with pytest.raises(UserError, match=f"episode_000001.hdf5 {sentence}") as caught:
        Episodes(folder)[1]
    assert "delete" not in str(caught.value)
    (problem,) = validate(folder).problems
    assert problem.path == episode_path(folder, 1)
    assert problem.what == breach.what and "delete" not in problem.advice


def test_a_sound_episode_breaks_no_law() -> None:
    assert breach_of(episode(), INFO) is None
    assert breach_of(episode(), None) is None
    almost = np.full((3, 2), 1.0001, np.float32)
    assert breach_of(episode(actions=almost), INFO) is None, "arms measure what they did"


@pytest.mark.parametrize("collection", [COLLECTED, {"recorded_by": "robot"}])
def test_what_misfits_in_all_episodes_is_the_fault_of_the_description(
    folder: Path, collection: dict[str, Any]
) -> None:
    for number in range(5):
        write_episode(folder, number, episode(number))
    write_info(folder, replace(INFO, frame_size=(64, 64), collection=collection))
    report = validate(folder)
    (problem,) = report.problems
    assert (problem.path, report.num_sound) == (folder / INFO_NAME, 0)
    assert "fits none of the 5 episodes: `frame_size` says [64, 64]" in problem.what
    assert problem.advice == "correct it to [20, 28]; nothing is wrong with the episodes"
    with pytest.raises(UserError, match=r"so have others, so correct `frame_size` in dataset"):
        Episodes(folder)[2]


def test_misfits_that_differ_are_not_one_fault_of_the_description(folder: Path) -> None:
    for number, size in enumerate((3, 5)):
        write_unchecked(folder, number, episode(states=np.zeros((4, size), np.float32)))
    report = validate(folder)
    assert [problem.path.name for problem in report.problems] == [
        "episode_000000.hdf5",
        "episode_000001.hdf5",
    ]
    for problem in report.problems:
        assert "if that is wrong, or else move" in problem.advice
    with pytest.raises(UserError, match="which says 2, to 3 if that is wrong, or else move"):
        Episodes(folder)[0]


def test_it_is_said_how_the_workspace_is_corrected(folder: Path) -> None:
    for number in range(2):
        write_unchecked(folder, number, episode(actions=np.zeros((3, 4), np.float32)))
    (problem,) = validate(folder).problems
    advice = "give `low`, `high` and `step` of `workspace` 4 numbers each"
    assert problem.path.name == INFO_NAME and problem.advice.startswith(advice)
    with pytest.raises(UserError, match=f"so have others, so in dataset.json, {advice}"):
        Episodes(folder)[0]


def test_one_that_misfits_among_others_is_its_own_fault(folder: Path) -> None:
    write_episode(folder, 0, episode())
    write_unchecked(folder, 1, episode(1, states=np.zeros((4, 3), np.float32)))
    assert "correct this one where it was recorded" in validate(folder).problems[0].advice
    write_info(folder, replace(INFO, collection=COLLECTED))
    advice = validate(folder).problems[0].advice
    assert advice.startswith("move it elsewhere and collect again")


def doubt(name: str, change: Callable[[Episode], Episode], folder: Path) -> tuple[int, ...]:
    """Return what is counted of two episodes of which the second was changed."""
    long = noise_episode(num_actions=13, frame_size=SIZE, state_size=2)
    write_episode(folder, 3, long)
    write_episode(folder, 4, change(long))
    report = validate(folder)
    assert (report.num_sound, report.problems) == (2, ())
    assert set(report.doubts) == {name}
    found = report.doubts[name]
    return found.num_episodes, found.count, found.first_episode, found.first_frame


def test_black_frames_are_counted(folder: Path) -> None:
    def blacken(sound: Episode) -> Episode:
        frames = sound.frames.copy()
        frames[5:7] = 3
        return replace(sound, frames=frames)

    assert doubt("blank_frames", blacken, folder) == (1, 2, 4, 5)


def test_frozen_frames_are_counted(folder: Path) -> None:
    def freeze(sound: Episode) -> Episode:
        frames = sound.frames.copy()
        frames[3:7] = frames[2]
        frames[9] = frames[8]  # once may be chance
        return replace(sound, frames=frames)

    assert doubt("frozen_frames", freeze, folder) == (1, 4, 4, 3)


def test_a_robot_that_rests_is_not_frozen(folder: Path) -> None:
    resting = noise_episode(num_actions=13, frame_size=SIZE, state_size=2)
    frames = resting.frames[:1].repeat(14, 0)
    states = resting.states[:1].repeat(14, 0)
    write_episode(folder, 0, replace(resting, frames=frames, states=states))
    assert validate(folder).doubts == {}


def test_unknown_tracks_are_counted(folder: Path) -> None:
    def lose(sound: Episode) -> Episode:
        return replace(sound, tracks=with_value(sound.tracks, (6, 1, 0), np.nan))

    assert doubt("unknown_tracks", lose, folder) == (1, 1, 4, 6)


def test_short_episodes_are_counted(folder: Path) -> None:
    assert doubt("short_episodes", lambda _: episode(), folder) == (1, 1, 4, 0)


@pytest.mark.parametrize("first", [100, 1_764_532_800, 20_261_130_203_358])
def test_recordings_may_have_any_number(folder: Path, first: int) -> None:
    for number in (first, first + 7):
        write_episode(folder, number, episode())
    write_episode(folder, 3, episode())
    report = validate(folder)
    assert (report.num_sound, report.problems) == (3, ())
    assert Episodes(folder).numbers == (3, first, first + 7)
    write_info(folder, replace(read_info(folder), collection=COLLECTED))
    if first > 100:
        problems = {problem.path: problem.what for problem in validate(folder).problems}
        assert len(problems) == 10
        assert problems[episode_path(folder, first)].startswith(
            f"comes after {first - 4} numbers that no episode has"
        )
    else:
        assert len(validate(folder).problems) == 105, "those of `collect` are all there"


def test_a_number_below_zero_is_refused(folder: Path) -> None:
    with pytest.raises(UserError, match="numbers of 0 or more, got -1"):
        write_episode(folder, -1, episode())
