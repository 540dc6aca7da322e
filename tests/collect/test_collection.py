"""Collection: episodes depend neither on the workers nor on interruptions."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from visual_foresight.collect.collection import CollectConfig, collect
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import read_episode, write_episode
from visual_foresight.episodes.info import read_info, write_info
from visual_foresight.episodes.validation import validate
from visual_foresight.types import UserError

SIZE = (20, 28)


def dot_config(folder: Path, **changes: Any) -> CollectConfig:
    config = CollectConfig(
        folder, "dot", episodes=6, steps=5, frame_size=SIZE, workers=1, seed=4
    )
    return replace(config, **changes)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.slow
def test_the_workers_do_not_matter(tmp_path: Path) -> None:
    alone = collect(dot_config(tmp_path / "one"), progress=False)
    together = collect(dot_config(tmp_path / "two", workers=2), progress=False)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert (alone.episodes_new, alone.episodes_kept) == (6, 0)
    assert alone.moved_share is not None and alone.moved_share > 0.5
    assert together.moved_share == alone.moved_share
    assert alone.frames_per_second > 0
    assert validate(tmp_path / "one").num_sound == 6


def test_more_episodes_are_added_to_those_there(tmp_path: Path) -> None:
    collect(dot_config(tmp_path / "whole"), progress=False)
    collect(dot_config(tmp_path / "parts", episodes=2), progress=False)
    summary = collect(dot_config(tmp_path / "parts"), progress=False)
    assert (summary.episodes_new, summary.episodes_kept) == (4, 2)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_the_folder_says_what_was_collected(tmp_path: Path) -> None:
    collect(dot_config(tmp_path, privileged=True), progress=False)
    info = read_info(tmp_path)
    assert (info.env, info.frame_size, info.action_size, info.state_size) == ("dot", SIZE, 2, 2)
    assert info.collection["privileged"] is True
    assert info.collection["seed"] == 4


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 5}, "seed 4 there, 5 here"),
        ({"steps": 6}, "steps"),
        ({"frame_size": (20, 20)}, "frame_size"),
    ],
)
def test_other_settings_in_the_same_folder_are_refused(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    collect(dot_config(tmp_path), progress=False)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=f"other settings.*{named}"):
        collect(dot_config(tmp_path, **changes), progress=False)
    assert contents(tmp_path) == before


def test_episodes_of_a_camera_that_was_calibrated_otherwise_are_refused(tmp_path: Path) -> None:
    collect(dot_config(tmp_path), progress=False)
    info = read_info(tmp_path)
    assert info.homography is not None
    write_info(tmp_path, replace(info, homography=((2.0, 0.0, 0.0), *info.homography[1:])))
    with pytest.raises(UserError, match="other settings.*homography"):
        collect(dot_config(tmp_path), progress=False)


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match=r"no dataset.json, but thesis\.txt\): choose an empty"):
        collect(dot_config(tmp_path), progress=False)
    with pytest.raises(UserError, match="is a file"):
        collect(dot_config(tmp_path / "thesis.txt"), progress=False)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_what_lies_in_a_new_folder_by_itself_is_no_obstacle(tmp_path: Path) -> None:
    names = ("README", "README.md", "LICENSE.txt", ".hidden", "Thumbs.db")
    for name in names:
        (tmp_path / name).write_text("about this disk")
    (tmp_path / "lost+found").mkdir()
    assert collect(dot_config(tmp_path, episodes=2), progress=False).episodes_new == 2
    assert collect(dot_config(tmp_path, episodes=3), progress=False).episodes_kept == 2
    report = validate(tmp_path)
    assert (report.num_sound, report.problems) == (3, ())
    assert len(Episodes(tmp_path)) == 3
    assert all((tmp_path / name).read_text() == "about this disk" for name in names)


def test_a_folder_inside_a_dataset_is_refused(tmp_path: Path) -> None:
    collect(dot_config(tmp_path, episodes=1), progress=False)
    for inner in (tmp_path / "more", tmp_path / "runs" / "1"):
        with pytest.raises(UserError, match="lies in .*a folder of episodes.*another place"):
            collect(dot_config(inner), progress=False)
    assert validate(tmp_path).problems == ()


def test_bad_settings_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name, value in (("episodes", 0), ("steps", 0), ("workers", 0), ("seed", -1)):
        with pytest.raises(UserError, match=name):
            dot_config(tmp_path, **{name: value})
    with pytest.raises(UserError, match="unknown env 'dots'"):
        collect(dot_config(tmp_path / "new", env="dots"), progress=False)
    with pytest.raises(UserError, match="4x4"):
        collect(dot_config(tmp_path / "new", frame_size=(4, 4)), progress=False)
    assert not (tmp_path / "new").exists()


def test_a_damaged_episode_is_named_when_resuming(tmp_path: Path) -> None:
    collect(dot_config(tmp_path), progress=False)
    (tmp_path / "episode_000003.hdf5").write_bytes(b"\0" * 999)
    with pytest.raises(
        UserError, match=r"episode_000003\.hdf5 is damaged.*delete it and collect again"
    ):
        collect(dot_config(tmp_path), progress=False)
    (tmp_path / "episode_000003.hdf5").unlink()
    assert collect(dot_config(tmp_path), progress=False).episodes_new == 1


COLLECT_MANY = """
import sys
from pathlib import Path
from visual_foresight.collect.collection import CollectConfig, collect
collect(CollectConfig(Path(sys.argv[1]), "dot", 16, 60, (20, 28), 2, seed=4))
"""


def start_collecting(folder: Path) -> subprocess.Popen:
    """Start a collection in a process group of its own, and wait for its first episodes."""
    process = subprocess.Popen(
        [sys.executable, "-c", COLLECT_MANY, str(folder)],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    patience = time.monotonic() + 120
    while len(list(folder.glob("episode_*"))) < 3:
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.01)
    return process


def test_an_episode_that_was_not_collected_is_named_when_resuming(tmp_path: Path) -> None:
    collect(CollectConfig(tmp_path, env="dot", episodes=2, steps=2, workers=1), progress=False)
    foreign = read_episode(tmp_path / "episode_000001.hdf5")
    write_episode(tmp_path, 1, replace(foreign, meta={}))
    with pytest.raises(UserError, match=r"episode_000001\.hdf5 was not recorded by `collect`"):
        collect(
            CollectConfig(tmp_path, env="dot", episodes=3, steps=2, workers=1), progress=False
        )


def test_only_what_a_collection_left_is_removed(tmp_path: Path) -> None:
    collect(dot_config(tmp_path, episodes=1), progress=False)
    ended = subprocess.Popen(["true"])
    ended.wait()
    others = (
        ".episode_000007.recording.tmp.hdf5",
        ".thesis.tmp.txt",
        f".thesis.{ended.pid}.tmp.hdf5",
        f".episode_000007.{os.getppid()}.tmp.hdf5",  # of somebody who is still writing
    )
    own = (
        f".episode_000007.{ended.pid}.tmp.hdf5",
        f".dataset.{ended.pid}.tmp.json",
        f".episode_000008.{os.getpid()}.tmp.hdf5",  # of one with this number before
    )
    for name in (*others, *own):
        (tmp_path / name).write_text("half")
    collect(dot_config(tmp_path, episodes=2), progress=False)
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".")}
    assert left == set(others)


def test_episodes_of_a_format_that_is_not_installed_are_not_collected_again(
    tmp_path: Path,
) -> None:
    collect(dot_config(tmp_path, episodes=2), progress=False)
    (tmp_path / "episode_000001.hdf5").rename(tmp_path / "episode_000001.zarr")
    before = contents(tmp_path)
    with pytest.raises(
        UserError, match=r"episode_000001\.zarr .*that no installed format reads"
    ):
        collect(dot_config(tmp_path, episodes=2), progress=False)
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_a_killed_collection_resumes_to_the_same_bytes(tmp_path: Path) -> None:
    process = start_collecting(tmp_path / "killed")
    with pytest.raises(UserError, match="another collection is writing"):
        collect(dot_config(tmp_path / "killed"), progress=False)
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    (tmp_path / "killed" / f".episode_000015.{process.pid}.tmp.hdf5").write_bytes(b"half")
    survivors = contents(tmp_path / "killed")
    num_survivors = len(list((tmp_path / "killed").glob("episode_*")))
    assert num_survivors < 16  # it was killed on the way
    for path in (tmp_path / "killed").glob("episode_*"):
        read_episode(path)

    settings = {"episodes": 16, "steps": 60}
    summary = collect(dot_config(tmp_path / "killed", **settings), progress=False)
    assert summary.episodes_kept == num_survivors
    collect(dot_config(tmp_path / "whole", **settings), progress=False)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
    for name, content in survivors.items():
        assert name.startswith(".") or contents(tmp_path / "killed")[name] == content


@pytest.mark.slow
def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    process = start_collecting(tmp_path / "orphans")
    process.kill()  # the parent alone
    process.wait()
    patience = time.monotonic() + 60
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < patience
        time.sleep(0.05)
    assert len(list((tmp_path / "orphans").glob("episode_*"))) < 16
