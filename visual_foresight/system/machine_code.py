"""Compiling by numba, whose machine code is kept for later processes where there is a place for it.

What is wrong with that place (files that are cut or of others, a full disk, no home) costs the time
to compile, and nothing else.

Compiling is said by this module's logger, at its beginning and at its end; records have
`is_compiling`, for who shows it in another way.
"""

import contextlib
import logging
import multiprocessing
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache, NullCache

logger = logging.getLogger(__name__)


class Announcement:
    """Says once in a process that something is compiled, and how long that took.

    Args:
        sentence: what is said before; nothing where it is empty.
    """

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence
        self._began_s: float | None = None
        self._is_open = False

    def begin(self) -> None:
        """Say that it begins; in worker processes, whose logs nobody reads, as a warning."""
        if self._sentence and self._began_s is None:
            self._began_s = time.monotonic()
            is_worker = multiprocessing.parent_process() is not None
            level = logging.WARNING if is_worker else logging.INFO
            logger.log(level, self._sentence, extra={"is_compiling": True})
            self._is_open = True

    def end(self) -> None:
        """Say that it is done."""
        if self._began_s is not None and self._is_open:
            self._is_open = False
            seconds = time.monotonic() - self._began_s
            logger.info("compiled in %.1f s", seconds, extra={"is_compiling": False})


class NoCache(NullCache):
    """Where nothing can be kept: compiling is announced, each time."""

    announcement = Announcement("")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return None: it must be compiled."""
        self.announcement.begin()

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep nothing."""
        self.announcement.end()


class ForgivingCache(FunctionCache):
    """numba's cache of a function; what cannot be read is compiled anew and written again."""

    announcement = Announcement("")
    """Said when there is nothing to read."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the machine code for these types; None if it must be compiled."""
        try:
            code = super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  unpickling what is cut or foreign raises anything
            code = None
            self._begin_anew()
        if code is None:
            self.announcement.begin()
        return code

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the machine code, if that is possible."""
        self.announcement.end()
        try:
            super().save_overload(sig, data)
        except Exception as error:  # noqa: BLE001  as above: it reads the index first
            logger.debug("compiled code is not kept: %s", error)

    def _begin_anew(self) -> None:
        try:
            self.flush()
        except OSError as error:
            logger.debug("the cache of compiled code cannot be used: %s", error)


def compiled(function: Callable[..., Any], announcement: str = "") -> Callable[..., Any]:
    """Let numba compile a function when it is first called.

    Args:
        function: what numba can compile.
        announcement: what is logged before it is compiled for the first time in a process.
    """
    dispatcher: Any = njit(nogil=True)(function)
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return dispatcher
    cache: ForgivingCache | NoCache = NoCache()
    if _has_place(function):
        # Else there is a place neither beside the module nor in the user's cache.
        with contextlib.suppress(RuntimeError, OSError):
            cache = ForgivingCache(function)
    cache.announcement = Announcement(announcement)
    # What `njit(cache=True)` does, with numba's own cache; it raises what it meets.
    dispatcher._cache = cache
    return dispatcher


def _has_place(function: Callable[..., Any]) -> bool:
    """Tell whether numba finds a folder; without a home it would make one with the name ~."""
    if os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME"):
        return True
    beside = Path(function.__code__.co_filename).parent
    return os.path.expanduser("~") != "~" or os.access(beside, os.W_OK)
