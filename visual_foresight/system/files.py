"""Files that are written whole or not at all: at every moment a reader finds the old content or
the new, never a half.

It stands on the ground floor, beside `types`, because every room that writes needs it.
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
    """Give a temporary path of the same suffix in the same folder, and rename it to `path` when
    the block succeeds.

    Folders are made as needed. When the block fails, a full disk included, the temporary file
    is removed and what was at `path` stays. Temporary names start with a dot and carry the
    process's number, so two writers do not meet.
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
    """Write a whole file atomically, where a full disk is to be told at once.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    try:
        write_bytes(path, data)
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise UserError(
            f"the disk of {path.parent} is full, {path.name} was not written: make room and run again"
        ) from error


def remedy(error: OSError) -> str | None:
    """Return in one sentence what is wrong with the disk and what to do.

    None when it is not for the user to mend.
    """
    place = f" ({error.filename})" if error.filename else ""
    if error.errno in NO_SPACE or "No space left" in str(error):
        return f"the disk is full{place}: make room and do the same again"
    if error.errno in NO_ACCESS:
        return f"a file or folder cannot be used{place}: {os.strerror(error.errno)}; mend that or choose another"
    return None
