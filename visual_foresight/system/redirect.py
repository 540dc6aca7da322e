"""Redirect what native code prints, which `contextlib.redirect_stdout` does not catch."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
