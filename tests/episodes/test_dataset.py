"""A folder of episodes: what is read, refused, split, cut into clips, and reported."""

import errno
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import (
    episode_number,
    episode_path,
    list_folder,
    read_episode,
    write_episode,
)
from visual_foresight.episodes.formats.registry import episode_formats
from visual_foresight.episodes.info import DatasetInfo, write_info
from visual_foresight.episodes.validation import validate
from visual_foresight.types import Episode, UserError, Workspace

HEIGHT, WIDTH, NUM_ACTIONS = 6, 10, 4


INFO = DatasetInfo(
    env="dot",
    frame_size=(HEIGHT, WIDTH),
    state_size=5,
    workspace=Workspace((0.0, 0.1), (1.0, 2.0), (0.5, 0.25)),
    homography=((0.5, 0.0, 0.1), (0.0, 0.25, 0.2), (0.0, 0.0, 1.0)),
    renderer="none",
    package_version="0",
    collection={"seed": 7, "steps": NUM_ACTIONS},
)


def assert_same(one: Episode, other: Episode) -> None:
    for name in ("actions", "frames", "states", "tracks"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert dict(one.meta) == dict(other.meta)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "set"
    write_info(path, INFO)
    for index in range(5):
        write_episode(path, index, noise_episode(index, num_actions=NUM_ACTIONS + index))
    return path


def test_a_full_disk_is_said_and_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fill_the_disk(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_the_disk)
    with pytest.raises(UserError, match=r"full.*episode_000000\.hdf5.*make room"):
        write_episode(folder, 0, noise_episode(99))
    with pytest.raises(UserError, match="full"):
        write_info(folder, INFO)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_another_failure_is_not_called_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((NotADirectoryError, FileExistsError)):
        write_episode(tmp_path / "file", 0, noise_episode(1))


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_cut_off_file_is_named(folder: Path, share: float) -> None:
    path = episode_path(folder, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(
        UserError,
        match=r"episode_000002\.hdf5 is damaged or no episode.*delete it and collect again",
    ):
        read_episode(path)
    report = validate(folder)
    assert [problem.path for problem in report.problems] == [path]
    assert report.num_sound == 4


def test_a_folder_that_cannot_be_used_is_refused_in_words(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UserError, match="no folder of episodes"):
        Episodes(tmp_path / "nowhere")
    empty = tmp_path / "empty"
    write_info(empty, INFO)
    with pytest.raises(UserError, match="no episodes yet"):
        Episodes(empty)
    (folder / "episode_7.hdf5").write_bytes(b"")
    with pytest.raises(UserError, match=r"episode_7\.hdf5 does not belong"):
        Episodes(folder)


def write_unchecked(folder: Path, number: int, episode: Episode) -> None:
    """Write what `write_episode` refuses, as a program of somebody else might."""
    episode_formats()["hdf5"].write(episode_path(folder, number), episode)


def test_an_episode_of_a_format_that_is_not_installed_is_named(folder: Path) -> None:
    for number in (1, 2):
        path = folder / f"episode_{number:06d}.hdf5"
        path.rename(path.with_suffix(".zarr"))
    sentence = (
        r"episode_000001\.zarr is an episode in a file \(\.zarr\) that no installed format reads "
        r"\(they read \.hdf5\): install the package"
    )
    with pytest.raises(UserError, match=sentence):
        Episodes(folder)
    report = validate(folder)
    assert report.num_sound == 3
    assert [problem.path.name for problem in report.problems] == [
        "episode_000001.zarr",
        "episode_000002.zarr",
    ], "they are there, and not missing"
    assert "that no installed format reads" in report.problems[0].what


def test_a_misfit_is_refused_when_read(folder: Path) -> None:
    write_unchecked(folder, 3, noise_episode(3, frame_size=(HEIGHT + 1, WIDTH)))
    with pytest.raises(UserError, match=r"episode_000003\.hdf5 has frames"):
        Episodes(folder)[3]


def test_a_clip_is_the_slice_it_says(folder: Path) -> None:
    episodes = Episodes(folder)
    clip = episodes.clip([(0, 1), (4, 5)], num_actions=3)
    assert clip.frames.shape == (2, 4, 3, HEIGHT, WIDTH)
    last = noise_episode(4, num_actions=NUM_ACTIONS + 4)
    np.testing.assert_array_equal(clip.actions[1], last.actions[5:8])
    np.testing.assert_array_equal(clip.states[1], last.states[5:9])
    np.testing.assert_allclose(clip.frames[1].movedim(1, -1) * 255, last.frames[5:9], atol=1e-4)
    with pytest.raises(IndexError):
        episodes.clip([(0, 2)], num_actions=3)


def test_what_was_unpacked_can_be_written_to(folder: Path) -> None:
    episodes = Episodes(folder)
    first = episodes[0].frames.copy()
    episodes[0].frames[:] = 0
    episodes.packed(0).frames[:1][:] = 0
    np.testing.assert_array_equal(episodes[0].frames, first)


def test_a_file_is_found_by_its_number(folder: Path) -> None:
    assert episode_path(folder, 3).name == "episode_000003.hdf5"
    assert episode_number(episode_path(folder, 3)) == 3
    for name in ("episode_3.hdf5", "episode_000003.txt", "run_000003.hdf5", "episode_000003"):
        assert episode_number(folder / name) is None
    (folder / "notes.txt").write_text("hello")
    (folder / ".hidden").write_text("nobody minds")
    assert list_folder(folder) == ([0, 1, 2, 3, 4], [folder / "notes.txt"])


def test_a_file_of_no_format_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(UserError, match=r"notes\.txt is no episode: .* end in \.hdf5"):
        read_episode(folder / "notes.txt")


def test_a_sound_folder_has_no_problems(folder: Path) -> None:
    (folder / "README.md").write_text("about this data")
    report = validate(folder)
    assert (report.num_sound, report.problems) == (5, ())


def test_validate_names_everything_that_is_wrong(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    (folder / ".episode_000009.123.tmp.hdf5").write_bytes(b"half")
    episode_path(folder, 1).unlink()
    write_unchecked(folder, 3, noise_episode(3, frame_size=(HEIGHT + 1, WIDTH)))
    bad = noise_episode(4)
    bad.states[2, 1] = np.nan
    write_unchecked(folder, 4, bad)
    found = {problem.path.name: problem.what for problem in validate(folder).problems}
    assert set(found) == {
        "notes.txt",
        ".episode_000009.123.tmp.hdf5",
        "episode_000001.hdf5",
        "episode_000003.hdf5",
        "episode_000004.hdf5",
    }
    assert found["episode_000001.hdf5"] == "is missing"
    assert "(7, 10, 3), not (6, 10, 3)" in found["episode_000003.hdf5"]
    assert "NaN or an infinity in states, first at frame 2" in found["episode_000004.hdf5"]
