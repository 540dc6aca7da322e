"""Opening HDF5 files to read: without a lock where there can be none, and causes in words."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py

from visual_foresight.episodes.causes import NO_LOCKS, DamagedError, errno_of, unreadable
from visual_foresight.types import UserError

READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
"""What reading a damaged file can raise."""


def reading(path: Path, read: Callable[[h5py.File], Any]) -> Any:
    """Return what is read from a file, without a lock where there can be none.

    Raises:
        UserError: why it cannot be read.
    """
    try:
        try:
            with h5py.File(path, "r") as file:
                return read(file)
        except OSError as error:
            if errno_of(error) not in NO_LOCKS:
                raise
            return _unlocked(path, read, error)
    except (*READ_ERRORS, UserError) as error:
        raise unreadable(path, error) from error


def _unlocked(path: Path, read: Callable[[h5py.File], Any], locked: OSError) -> Any:
    """Return what is read from a file without a lock.

    Locks guard against writers. Ours give a file its name when it is whole, and the checksum tells
    of others.

    Args:
        path: of the file.
        read: returns something from it when it is open.
        locked: that reading with a lock ended with.

    Raises:
        UserError: why it cannot be read: what seems damaged while another program has the lock is
            only in use.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            return read(file)
    except (*READ_ERRORS, UserError) as error:
        found = unreadable(path, error)
        if isinstance(found, DamagedError) and errno_of(locked) == errno.EAGAIN:
            raise locked from error
        raise found from error
