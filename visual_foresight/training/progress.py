"""A progress bar that costs no work when nobody reads it any more."""

from contextlib import nullcontext, suppress
from typing import Any

from tqdm import tqdm


class Bar(tqdm):  # type: ignore[type-arg]  # it takes no argument when the program runs
    """A bar of tqdm that is silent once stderr is broken, as in `2>&1 | tee` after Ctrl-C.

    tqdm itself forgives one error of the system only, and keeps its lock when it meets another.
    """

    def display(self, msg: str | None = None, pos: int | None = None) -> Any:
        """Write the bar, for the last time if that fails."""
        try:
            return super().display(msg, pos)
        except OSError:
            self.disable = True
            return False

    def clear(self, nolock: bool = False) -> None:
        """Take the bar away for a moment."""
        with nullcontext() if nolock else self.get_lock():
            try:
                super().clear(nolock=True)
            except OSError:
                self.disable = True

    def close(self) -> None:
        """Write the bar for the last time."""
        with suppress(OSError):
            super().close()
