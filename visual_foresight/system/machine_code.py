"""Compiling by numba, whose machine code is kept for later processes where there is a place for it.

What is wrong with that place (files that are cut or of others, a full disk, no home) costs the time
to compile, and nothing else.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache

logger = logging.getLogger(__name__)


class ForgivingCache(FunctionCache):
    """numba's cache of a function; what cannot be read is compiled anew and written again."""

    announcement = ""
    """What is said when there is nothing to read; nothing by default."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the machine code for these types; None if it must be compiled."""
        try:
            code = super().load_overload(sig, target_context)
        except Exception:  # noqa: BLE001  unpickling what is cut or foreign raises anything
            code = None
            self._begin_anew()
        if code is None and self.announcement:
            logger.info(self.announcement)
        return code

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep the machine code, if that is possible."""
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
        announcement: what is logged before it is compiled, where no code was kept.
    """
    dispatcher: Any = njit(nogil=True)(function)
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return dispatcher
    if _has_place(function):
        try:
            cache = ForgivingCache(function)
        except (RuntimeError, OSError):  # neither beside the module nor in the user's cache
            return dispatcher
        cache.announcement = announcement
        # What `njit(cache=True)` does, with numba's own cache; it raises what it meets.
        dispatcher._cache = cache
    return dispatcher


def _has_place(function: Callable[..., Any]) -> bool:
    """Tell whether numba finds a folder; without a home it would make one with the name ~."""
    if os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME"):
        return True
    beside = Path(function.__code__.co_filename).parent
    return os.path.expanduser("~") != "~" or os.access(beside, os.W_OK)
