"""Why a file of an episode cannot be read, in words, and what to do about it.

Most causes are not the file's fault: it belongs to somebody else, or is open elsewhere. Only what
is truly damaged may be thrown away, and only where it can be made anew.
"""

import errno
import os
import re
from pathlib import Path

from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.types import UserError

NO_LOCKS = (
    errno.EAGAIN,
    errno.EACCES,
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EBADF,
    errno.EOPNOTSUPP,
)
"""What locking a file can end with where reading it would do."""
RECORDING = re.compile(r"\.episode_\d+\.recording\.tmp\.\w+")
"""What the files of a recording are called until it is finished."""
LFS_POINTER = b"version https://git-lfs"
COLLECT_AGAIN = "collect again with the same settings, which makes it anew"
RESTORE = "get it back from a copy, or move it elsewhere"
"""What to do about a damaged file that nobody can make anew."""
PERMISSION = "ask its owner, or change its permissions (chmod), and do the same again"
CAUSES = {
    errno.EACCES: ("may not be read by you", PERMISSION),
    errno.EPERM: ("may not be read by you", PERMISSION),
    errno.EAGAIN: ("is locked by another program", "close it there, and do the same again"),
    errno.ENOLCK: ("is on a file system without locks", "set HDF5_USE_FILE_LOCKING=FALSE"),
    errno.EISDIR: ("is a folder, a file was expected", "move it elsewhere"),
    errno.EMFILE: ("finds too many files open", "raise the limit (ulimit -n), or open fewer"),
    errno.ENFILE: ("finds too many files open", "close other programs, and do the same again"),
    errno.EIO: ("cannot be read from the disk", "check the disk and its cable, then try again"),
    errno.ESTALE: ("is gone from the server", "mount the folder anew, and do the same again"),
    errno.ENOMEM: ("does not fit into memory", "close other programs, and do the same again"),
}
"""Number of an error of the system -> what the file is or finds, and what to do."""


class DamagedError(UserError):
    """The content of a file is no sound episode; perhaps nobody can make it anew."""


class MissingError(UserError):
    """There is no such file."""


def unreadable(path: Path, error: Exception) -> UserError:
    """Return what is said of a file that cannot be read: `DamagedError` only as the last guess.

    Args:
        path: of the file.
        error: that reading it ended with.
    """
    if isinstance(error, UserError):
        return error
    if isinstance(error, FileNotFoundError):
        return MissingError(f"{path} is missing")
    if (number := errno_of(error)) in CAUSES:
        what, advice = CAUSES[number]
        return UserError(f"{path} {what} ({os.strerror(number)}): {advice}")
    if number:
        return UserError(
            f"{path} cannot be read now ({os.strerror(number)}): do the same again later, and look "
            "after its disk or network if that stays so"
        )
    if RECORDING.fullmatch(path.name):
        return UserError(
            f"{path} is a recording that goes on, or whose program was killed: "
            f"`validate --folder {path.parent} --recover` makes an episode of it"
        )
    text = " ".join(str(error).split())
    if "already open for write" in text:
        return UserError(
            f"{path} is being written by another program, or by one that was killed: close it "
            "there; if no program has it open, `h5clear -s FILE` takes the mark away"
        )
    if is_lfs_pointer(path):
        return UserError(f"{path} is a pointer of Git LFS, not the file itself: `git lfs pull`")
    return DamagedError(f"{path} is damaged or no episode ({text})")


def errno_of(error: Exception) -> int | None:
    """Return the number of the system's error, which HDF5 may say in its text only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    said = re.search(r"errno = (\d+)", str(error))
    return int(said[1]) if said else None


def is_lfs_pointer(path: Path) -> bool:
    """Tell whether a file is what Git leaves in the place of a large one."""
    try:
        with path.open("rb") as file:
            return file.read(len(LFS_POINTER)) == LFS_POINTER
    except OSError:
        return False


def advice_on(error: UserError, info: DatasetInfo | None) -> str | None:
    """Return what to do about a file that was read in vain; None if the sentence says so itself.

    Args:
        error: of `unreadable`.
        info: what the folder's `dataset.json` says, if it can be read.
    """
    collected = info is not None and info.was_collected
    if isinstance(error, DamagedError):
        return f"delete it and {COLLECT_AGAIN}" if collected else RESTORE
    if isinstance(error, MissingError):
        return COLLECT_AGAIN if collected else "get it back from a copy, or choose another"
    return None
