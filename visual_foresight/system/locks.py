"""Folders that one process at a time may write to, also where the file system has no locks."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from visual_foresight.types import UserError

NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What `flock` answers on a network or user-space file system without such locks."""
OWNER_NAME = ".lock"
"""The file that says there who is writing: a machine and a process."""


@contextmanager
def locked(folder: Path, work: str, other: str) -> Iterator[None]:
    """Lock a folder against other processes; the lock ends with the process at the latest.

    The folder is made, and removed again if nothing was written to it. Where the file system has
    no locks, a file in the folder stands for one; if the process is killed, the next one on the
    same machine sees that it is gone.

    Args:
        folder: what to lock.
        work: what writes to it, for the sentence: "collection", "training".
        other: what to do instead, for the sentence: "choose another folder".

    Raises:
        UserError: another process has locked it, or it is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, a folder was expected: choose another place")
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with ExitStack() as held:
            handle = os.open(folder, os.O_RDONLY)
            held.callback(os.close, handle)
            sentence = f"another {work} is writing to {folder}: wait for it, or {other}"
            if not _take(handle, sentence):
                held.enter_context(_owned(folder / OWNER_NAME, sentence))
            yield
    finally:
        for each in missing:
            if each.exists() and not any(each.iterdir()):
                each.rmdir()


def _take(handle: int, sentence: str) -> bool:
    """Lock an open folder; tell whether its file system has locks at all."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(sentence) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        return False
    return True


@contextmanager
def _owned(path: Path, sentence: str) -> Iterator[None]:
    """Hold a file that stands for a lock."""
    me = f"{socket.gethostname()} {os.getpid()}"
    if path.exists() and _is_gone(path.read_text()):
        path.unlink(missing_ok=True)
    try:
        file = path.open("x")
    except FileExistsError as error:
        raise UserError(f"{sentence}; if it runs no longer, delete {path}") from error
    try:
        with file:  # without its owner, of a full disk for example, it would never be stale
            file.write(me)
        yield
    finally:
        path.unlink(missing_ok=True)


def _is_gone(owner: str) -> bool:
    """Tell whether the process that wrote this ran on this machine and runs no longer."""
    machine, _, process = owner.partition(" ")
    if machine != socket.gethostname() or not process.isdecimal():
        return False
    return not _runs(int(process))


def is_another(process: int) -> bool:
    """Tell whether a process of this number runs here, and is not this one."""
    return process != os.getpid() and _runs(process)


def _runs(process: int) -> bool:
    """Tell whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
