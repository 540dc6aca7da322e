"""Variables of the environment, changed for a while."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def changed(name: str, value: str) -> Iterator[None]:
    """Set a variable of the environment in the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
