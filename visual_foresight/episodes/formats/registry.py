"""The file formats of episodes by their names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from visual_foresight.system.plugins import Registry
from visual_foresight.types import Episode


@runtime_checkable
class EpisodeFormat(Protocol):
    """How an episode is stored in a file of its own."""

    suffix: str
    """Of the files' names, with the dot: it tells the formats apart."""

    def write(self, path: Path, episode: Episode) -> None:
        """Write an episode atomically; the same episode gives the same bytes.

        Raises:
            UserError: the disk is full; nothing half-written is left.
        """
        ...

    def read(self, path: Path) -> Episode:
        """Read an episode.

        Raises:
            UserError: the file is missing, damaged, or no episode; the sentence names it.
        """
        ...

    def read_meta(self, path: Path) -> Mapping[str, Any]:
        """Read `Episode.meta` alone, without the arrays. Raises as `read` does."""
        ...


FORMATS = Registry(
    "format",
    "formats",
    {"hdf5": "visual_foresight.episodes.formats.hdf5:HDF5"},
    EpisodeFormat,
)
"""Name -> a class that is built from nothing."""
DEFAULT_FORMAT = "hdf5"
"""The format of episodes that are written."""


def all_formats() -> dict[str, EpisodeFormat]:
    """Return every format, our own first, by its name."""
    return {name: format_class() for name, format_class in FORMATS.items()}
