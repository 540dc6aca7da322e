"""A folder that one process at a time writes to, with and without locks of the file system."""

import errno
import fcntl
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from visual_foresight.system.locks import locked
from visual_foresight.types import UserError

REFUSED = "another dance is writing to .*hall: wait for it, or go out"


def hold(folder: Path):
    return locked(folder, "dance", "go out")


@pytest.fixture(params=[None, errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def hall(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, on file systems that answer differently when they are asked for a lock."""
    if request.param is not None:

        def without(*_: object) -> None:
            raise OSError(request.param, os.strerror(request.param))

        monkeypatch.setattr(fcntl, "flock", without)
    return tmp_path / "new" / "hall"


def test_the_second_is_refused_and_the_next_is_not(hall: Path) -> None:
    with hold(hall):
        (hall / "shoes").touch()
        with pytest.raises(UserError, match=REFUSED), hold(hall):
            pass
    with hold(hall):
        pass
    assert [each.name for each in hall.iterdir()] == ["shoes"]


def test_a_folder_to_which_nothing_was_written_goes_again(hall: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyError), hold(hall):
        raise KeyError
    assert not list(tmp_path.iterdir())


def test_what_goes_wrong_inside_is_not_mistaken_for_a_lock(hall: Path) -> None:
    with pytest.raises(BlockingIOError), hold(hall):
        raise BlockingIOError


@pytest.mark.parametrize("hall", [errno.ENOLCK], indirect=True)
@pytest.mark.parametrize("machine", [socket.gethostname(), "elsewhere"])
def test_a_lock_of_a_killed_process_of_this_machine_is_taken_over(
    hall: Path, machine: str
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    hall.mkdir(parents=True)
    (hall / ".lock").write_text(f"{machine} {process.pid}")
    if machine == "elsewhere":  # whether it runs there cannot be told from here
        with (
            pytest.raises(UserError, match=r"if it runs no longer, delete .*\.lock"),
            hold(hall),
        ):
            pass
        return
    with hold(hall):
        pass


@pytest.mark.parametrize("hall", [errno.ENOLCK], indirect=True)
def test_a_lock_that_cannot_be_written_is_not_left_behind(hall: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))  # as on a full disk
    try:
        with pytest.raises(OSError, match="File too large"), hold(hall):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not hall.exists()
    with hold(hall):
        pass


def test_a_file_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "hall").touch()
    with (
        pytest.raises(UserError, match="is a file, a folder was expected"),
        hold(tmp_path / "hall"),
    ):
        pass
