"""What native code prints, sent elsewhere.

Below Python, where `contextlib.redirect_stdout` does not reach.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def diverted(descriptor: int, to: int) -> Iterator[None]:
    """Send what is written to a file descriptor (1 stdout, 2 stderr) to another one meanwhile."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(descriptor)
    os.dup2(to, descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
