"""Files that are written whole or not at all.

A reader finds the old content or the new one, never a half-written file.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from visual_foresight.types import UserError

NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ACCESS = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EMFILE,
    errno.ENFILE,
)
NO_TEMPORARY_FOLDER = "No usable temporary directory"
"""How `tempfile` begins to say so."""


def expanded(path: Path) -> Path:
    """Return a path with `~` and `~name` at its beginning written out.

    Raises:
        UserError: there is no such user, or no home folder.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise UserError(
            f"there is no home folder for {path.parts[0]!r} in {path}: write the whole path out"
        ) from error


def require_place(path: Path, what: str) -> None:
    """Find out before the work, not after it, that a file cannot be written.

    Folders are made as needed.

    Args:
        path: of the file.
        what: it is, with its article, for the sentence: "the report".

    Raises:
        UserError: it is a folder or a link to nowhere, or its folder cannot be written to.
    """
    with _refused(path, what):
        if path.is_dir():
            raise UserError(
                f"{what} is one file, but {path} is a folder: give the name of a file"
            )
        if path.is_symlink() and not path.exists():
            raise UserError(
                f"{what} cannot be written to {path}, a link to {os.readlink(path)}, which is not "
                "there: remove the link, or choose another place"
            )
        _try(path.parent)


def require_folder(folder: Path, what: str) -> None:
    """Find out before the work, not after it, that nothing can be written to a folder.

    It is made if it is not there.

    Args:
        folder: for files that are written later.
        what: these are, for the sentence: "the results".

    Raises:
        UserError: it is a file, or cannot be written to.
    """
    with _refused(folder, what):
        _try(folder)


def _try(folder: Path) -> None:
    """Write to a folder for a moment."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def _refused(path: Path, what: str) -> Iterator[None]:
    """Say in one sentence that a place cannot be used."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"{what} cannot be written to {path} ({reason}): choose another place"
        ) from error


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
        give_name(temporary, path)
    except OSError as error:
        if error.filename is None and _is_full(error):  # an open file does not know its name
            reason = os.strerror(errno.ENOSPC)
            raise OSError(errno.ENOSPC, reason, os.fspath(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def give_name(temporary: Path, path: Path) -> None:
    """Rename a file that is written, when all of it is on the disk."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


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
        if not _is_full(error):
            raise
        raise UserError(
            f"the disk of {path.parent} is full, {path.name} was not written: "
            "make room and run again"
        ) from error


def remedy(error: OSError) -> str | None:
    """Return in one sentence what is wrong with the disk and what to do about it.

    None when the error is not one that the user can mend.
    """
    place = f" ({_text(error.filename)})" if error.filename else ""
    if _is_full(error):
        which = place.strip() or (
            "(which one is not known: that of the folder of results, or that of temporary files, "
            f"{os.environ.get('TMPDIR', '/tmp')})"
        )
        return f"the disk is full {which}: make room and do the same again"
    if NO_TEMPORARY_FOLDER in str(error):
        return (
            "there is no folder for temporary files that can be written: "
            "make room in /tmp, or name another one in TMPDIR"
        )
    if error.errno in NO_ACCESS:
        reason = os.strerror(error.errno)
        return f"a file or folder cannot be used{place}: {reason}; mend that or choose another"
    return None


def _is_full(error: OSError | RuntimeError) -> bool:
    """Tell whether there was no room; libraries do not always pass the number on."""
    number = error.errno if isinstance(error, OSError) else None
    return number in NO_SPACE or "No space left" in str(error)


def _text(name: str | bytes | int) -> str:
    """Return the name of a file for people."""
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)
