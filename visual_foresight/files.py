"""Files that are written whole or not at all: at every moment a reader finds the old content or the new, never a half.

It stands on the ground floor, beside `types`, because every room that writes needs it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path of the same suffix in the same folder, and rename it to `path` when the block succeeds.

    Folders are made as needed. When the block fails, a full disk included, the temporary file is removed and what was at
    `path` stays. Temporary names start with a dot and carry the process's number, so two writers do not meet.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file atomically (see `replacing`)."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
