"""Why a file cannot be read: the cause in words, and no advice that destroys sound data."""

import errno
import fcntl
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from tests.fakes.episodes import noise_episode
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import read_episode, read_meta, write_episode
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, write_info
from visual_foresight.episodes.validation import validate
from visual_foresight.types import UserError, Workspace

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
COLLECTED = {"steps": 4, "seed": 0}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_info(tmp_path, INFO)
    return write_episode(tmp_path, 0, noise_episode())


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let HDF5 fail to open any file."""

    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(h5py, "File", refuse)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "may not be read by you .Permission denied.: ask its owner"),
        (errno.EAGAIN, "is locked by another program .*: close it there"),
        (errno.EMFILE, "finds too many files open .*: raise the limit .ulimit -n."),
        (errno.EIO, "cannot be read from the disk .*: check the disk"),
        (errno.EISDIR, "is a folder, a file was expected"),
        (errno.ENOTCONN, "cannot be read now .*: do the same again later"),
        (errno.ETIMEDOUT, "cannot be read now .*: do the same again later"),
        (errno.EHOSTDOWN, "cannot be read now .*: do the same again later"),
    ],
)
def test_a_cause_that_is_not_the_files_fault_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, sentence: str
) -> None:
    fail_with(monkeypatch, OSError(number, "Unable to synchronously open file"))
    write_info(path.parent, replace(INFO, collection=COLLECTED))
    for read in (read_episode, read_meta):
        with pytest.raises(UserError, match=f"episode_000000.hdf5 {sentence}") as caught:
            read(path)
        assert "delete" not in str(caught.value) and "collect again" not in str(caught.value)
    (problem,) = validate(path.parent).problems
    assert problem.path == path and "delete" not in problem.what + problem.advice


def test_a_file_that_is_locked_is_read_all_the_same(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert len(read_episode(path).actions) == 4
        assert read_meta(path)["seed"] == 0
    finally:
        os.close(handle)


def test_a_file_that_is_locked_and_half_written_is_in_use(path: Path) -> None:
    write_info(path.parent, replace(INFO, collection=COLLECTED))
    path.write_bytes(path.read_bytes()[:-99])
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(UserError, match=r"is locked by another program .*: close it there"):
            read_episode(path)
    finally:
        os.close(handle)
    with pytest.raises(UserError, match="damaged .*: delete it and collect again"):
        read_episode(path)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EBADF])
def test_a_file_system_without_locks_is_read_from(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    opened = h5py.File

    def refuse_locks(*arguments: Any, locking: bool = True, **options: Any) -> h5py.File:
        if locking:
            # HDF5 says the number in its text alone.
            raise OSError(f"Unable to lock file, errno = {number}, error message = ...")
        return opened(*arguments, locking=locking, **options)

    monkeypatch.setattr(h5py, "File", refuse_locks)
    assert len(Episodes(path.parent)[0].actions) == 4


OPEN_TO_WRITE = """
import sys, h5py
file = h5py.File(sys.argv[1], "r+")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_file_that_is_open_in_a_notebook_is_said_to_be(path: Path) -> None:
    notebook = subprocess.Popen(
        [sys.executable, "-c", OPEN_TO_WRITE, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert notebook.stdout is not None
    notebook.stdout.readline()
    with pytest.raises(UserError, match="is being written by another program.*close it there"):
        read_episode(path)
    notebook.communicate()
    assert len(read_episode(path).actions) == 4


def test_a_missing_filter_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: False)
    with pytest.raises(
        UserError, match=r"filter 1 \(deflate\), which is not installed"
    ) as caught:
        read_episode(path)
    assert "delete" not in str(caught.value)


def test_a_pointer_of_git_lfs_is_told_from_damage(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(UserError, match="is a pointer of Git LFS.*git lfs pull"):
        read_episode(path)


def test_another_schema_is_told_from_damage(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["schema_version"] = 2
    with pytest.raises(UserError, match="schema version 2, version 1 was expected") as caught:
        read_episode(path)
    assert "delete" not in str(caught.value)


def test_only_what_was_collected_may_be_deleted(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-99])
    with pytest.raises(UserError, match="damaged or no episode.*: get it back from a copy"):
        read_episode(path)
    assert "delete" not in validate(path.parent).problems[0].what
    write_info(path.parent, replace(INFO, collection=COLLECTED))
    with pytest.raises(UserError, match="damaged .*: delete it and collect again"):
        read_episode(path)
    assert "delete it and collect again" in validate(path.parent).problems[0].what


@pytest.mark.parametrize("collection", [COLLECTED, INFO.collection])
def test_a_wrong_description_is_no_reason_to_delete_episodes(
    path: Path, collection: dict[str, Any]
) -> None:
    content = json.loads((path.parent / INFO_NAME).read_text())
    text = json.dumps({**content, "collection": collection}, indent=1)
    (path.parent / INFO_NAME).write_text(text.replace('"robot"', '"robot",,', 1))
    for read in (Episodes, validate):
        with pytest.raises(UserError, match="line 2, column 17; correct it there") as caught:
            read(path.parent)
        assert "delete" not in str(caught.value)
    assert len(read_episode(path).actions) == 4


@pytest.mark.parametrize(
    "write",
    [
        lambda text: np.bytes_(text),
        lambda text: np.bytes_(text.ljust(len(text) + 40)),
        lambda text: np.array([text], h5py.string_dtype()),
        lambda text: np.array([text.encode()]),
    ],
    ids=["fixed", "padded", "list of one", "fixed in a list"],
)
def test_attributes_of_other_languages_are_read(path: Path, write: Any) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs["meta"] = write(file.attrs["meta"])
        file.attrs["crc32"] = np.array([file.attrs["crc32"]], np.float64)
        file.attrs["schema_version"] = np.float64(1)
    episode = read_episode(path)
    assert dict(episode.meta) == dict(noise_episode().meta) == dict(read_meta(path))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("meta", 3, "attribute 'meta' is .*3.* a text was expected"),
        ("crc32", "abc", "attribute 'crc32' is 'abc', a whole number"),
        ("crc32", None, "it has no attribute 'crc32'"),
        ("meta", h5py.Empty("S9"), "a text was expected"),
    ],
)
def test_a_wrong_attribute_is_named(path: Path, name: str, value: Any, sentence: str) -> None:
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value
    with pytest.raises(UserError, match=sentence):
        read_episode(path)


def test_arrays_of_another_byte_order_are_read(path: Path) -> None:
    expected = noise_episode().actions
    with h5py.File(path, "r+") as file:
        del file["data/demo_0/actions"]
        file["data/demo_0/actions"] = expected.astype(">f4")
    actions = read_episode(path).actions
    assert actions.dtype == np.float32 and actions.dtype.isnative
    np.testing.assert_array_equal(actions, expected)


def test_an_array_of_another_type_is_named(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["data/demo_0/actions"]
        file["data/demo_0/actions"] = noise_episode().actions.astype(np.float64)
    with pytest.raises(UserError, match="2 axes of float32: it has 2 axes of float64"):
        read_episode(path)
