"""Files that are written whole or not at all.

A reader finds the old content or the new one, never a half-written file.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visual_foresight.types import UserError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ACCESS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and rename it to `path` when the block succeeds.

    It has the same suffix. Folders are made as needed. When the block fails, because the disk is
    full for example, the temporary file is removed and the file at `path` stays as it was.
    Temporary names start with a dot and contain the process's number, so two processes can write
    the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file atomically (see `replacing`)."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_or_refuse(path: Path, data: bytes) -> None:
    """Write a whole file atomically, and report a full disk as a user's error.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    with refusing_full_disk(path):
        write_bytes(path, data)


@contextmanager
def refusing_full_disk(path: Path) -> Iterator[None]:
    """Report a full disk as a user's error, also where a library says so in its text only.

    Args:
        path: what is written in the block.

    Raises:
        UserError: the disk is full.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        if number not in NO_SPACE and "No space left" not in str(error):
            raise
        raise UserError(
            f"the disk of {path.parent} is full, {path.name} was not written: "
            "make room and run again"
        ) from error


def remedy(error: OSError) -> str | None:
    """Return in one sentence what is wrong with the disk and what to do about it.

    None when the error is not one that the user can mend.
    """
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in NO_SPACE or "No space left" in str(error):
        return f"the disk is full{place}: make room and do the same again"
    if error.errno in NO_ACCESS:
        reason = os.strerror(error.errno)
        return f"a file or folder cannot be used{place}: {reason}; mend that or choose another"
    return None
