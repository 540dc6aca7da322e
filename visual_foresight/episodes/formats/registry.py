"""The formats of episodes by their names: of the files in a folder of ours, or of whole datasets.

An `EpisodeFormat` stores one episode in a file of its own, in our folders; a `DatasetFormat` opens
a dataset of another layout as a whole. A format is one of the two, or both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.source import EpisodeSource
from visual_foresight.system.plugins import Registry
from visual_foresight.types import Episode, UserError


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
            UserError: the file is missing, damaged, or no episode, or cannot be read now: see
                `causes.unreadable`, which makes it of any error.
        """
        ...

    def read_meta(self, path: Path) -> Mapping[str, Any]:
        """Read `Episode.meta` alone, without the arrays. Raises as `read` does."""
        ...


@runtime_checkable
class ReadByParts(EpisodeFormat, Protocol):
    """A format that need not hold a long episode whole to read it."""

    def read_packed(self, path: Path) -> PackedEpisode:
        """Read and check an episode; the frames of a long one stay in the file.

        Raises as `read` does.
        """
        ...


@runtime_checkable
class DatasetFormat(Protocol):
    """How a whole dataset is stored."""

    def open(self, path: Path) -> EpisodeSource | None:
        """Return the episodes at a path, or None if that is no dataset of this format.

        It is asked of every path that a user names, so it looks no further than it must.

        Args:
            path: a file or folder that exists.

        Raises:
            UserError: it is one of this format, but damaged.
        """
        ...


FORMATS = Registry(
    "format",
    "formats",
    {
        "hdf5": "visual_foresight.episodes.formats.hdf5.format:HDF5",
        "folder": "visual_foresight.episodes.formats.folder:Folder",
    },
)
"""Name -> a class that is built from nothing: an `EpisodeFormat`, a `DatasetFormat`, or both."""
DEFAULT_FORMAT = "hdf5"
"""The format of episodes that are written."""


def episode_formats() -> dict[str, EpisodeFormat]:
    """Return every format of files, our own first, by its name."""
    formats = _all_formats()
    return {name: each for name, each in formats.items() if isinstance(each, EpisodeFormat)}


def dataset_formats() -> dict[str, DatasetFormat]:
    """Return every format of whole datasets, our own first, by its name."""
    formats = _all_formats()
    return {name: each for name, each in formats.items() if isinstance(each, DatasetFormat)}


def _all_formats() -> dict[str, EpisodeFormat | DatasetFormat]:
    """Build every format; one that is of neither kind is refused."""
    found = {name: format_class() for name, format_class in FORMATS.items()}
    for name, each in found.items():
        if not isinstance(each, EpisodeFormat | DatasetFormat):
            raise UserError(
                f"the format {name!r} has neither open(), which reads a whole dataset, nor "
                "suffix, write(), read() and read_meta(), which are for files of one episode: "
                "add what is missing, or uninstall the package that brings it"
            )
    return found
