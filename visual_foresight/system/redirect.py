"""The standard streams: closed ones, names that are no text, and what native code prints.

`contextlib.redirect_stdout` does not catch the latter.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def prepare_streams() -> None:
    """Make the standard streams fit to be written to.

    One that was closed (`>&-`) leads nowhere: the next file that is opened would get its number,
    and what is printed would go into that. Names of files that are no UTF-8 are printed as they
    are.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            os.set_inheritable(descriptor, True)
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", errors="backslashreplace", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        is_unicode = sys.stdout.encoding.lower().replace("-", "") == "utf8"
        sys.stdout.reconfigure(errors="surrogateescape" if is_unicode else "backslashreplace")


@contextmanager
def diverted(descriptor: int, to: int) -> Iterator[None]:
    """Send what is written to a file descriptor (1 stdout, 2 stderr) to another in the block."""
    sys.stdout.flush()
    sys.stderr.flush()
    original = os.dup(descriptor)
    os.dup2(to, descriptor)
    try:
        yield
    finally:
        os.dup2(original, descriptor)
        os.close(original)
