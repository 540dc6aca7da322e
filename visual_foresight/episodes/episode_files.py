"""The files of a dataset folder: one per episode, in the format that its suffix names."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visual_foresight.episodes.formats.registry import (
    DEFAULT_FORMAT,
    EpisodeFormat,
    episode_formats,
)
from visual_foresight.episodes.info import INFO_NAME
from visual_foresight.types import Episode, UserError

EPISODE_STEM = re.compile(r"episode_(\d{6})")
ALLOWED_NAMES = (INFO_NAME, "README.md")  # besides episodes and hidden files


def episode_path(folder: Path, number: int, format_: str = DEFAULT_FORMAT) -> Path:
    """Return the file of the episode of this number, whether it exists or not.

    Args:
        folder: of the dataset.
        number: of the episode.
        format_: name of the format of a file that does not exist yet.
    """
    stem = f"episode_{number:06d}"
    formats = episode_formats()
    paths = [folder / f"{stem}{each.suffix}" for each in formats.values()]
    new = folder / f"{stem}{formats[format_].suffix}"
    return next((path for path in paths if path.exists()), new)


def episode_number(path: Path) -> int | None:
    """Return the number of the episode in a file, or None if its name is not an episode's."""
    match = EPISODE_STEM.fullmatch(path.stem)
    if match is None or _format_of(path) is None:
        return None
    return int(match[1])


def list_folder(folder: Path) -> tuple[list[int], list[Path]]:
    """Return the numbers of the episodes in a folder, and the foreign files in it.

    Hidden files are ignored.
    """
    numbers, foreign = [], []
    for path in sorted(folder.iterdir()):
        number = episode_number(path)
        if number is not None and path.is_file():
            numbers.append(number)
        elif path.name not in ALLOWED_NAMES and not path.name.startswith("."):
            foreign.append(path)
    return numbers, foreign


def write_episode(
    folder: Path, number: int, episode: Episode, format_: str = DEFAULT_FORMAT
) -> Path:
    """Write the episode of this number, atomically; the same episode gives the same bytes.

    Args:
        folder: of the dataset.
        number: of the episode.
        episode: what to write.
        format_: name of the format, unless the episode has a file already.

    Returns:
        Its file.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    path = episode_path(folder, number, format_)
    _require_format(path).write(path, episode)
    return path


def read_episode(path: Path) -> Episode:
    """Read an episode.

    Raises:
        UserError: the file is missing, damaged, or no episode; the sentence names it.
    """
    return _require_format(path).read(path)


def read_meta(path: Path) -> Mapping[str, Any]:
    """Read `Episode.meta` alone, without the arrays. Raises as `read_episode` does."""
    return _require_format(path).read_meta(path)


def _format_of(path: Path) -> EpisodeFormat | None:
    return next(
        (each for each in episode_formats().values() if each.suffix == path.suffix), None
    )


def _require_format(path: Path) -> EpisodeFormat:
    found = _format_of(path)
    if found is None:
        suffixes = ", ".join(each.suffix for each in episode_formats().values())
        raise UserError(f"{path} is no episode: the names of their files end in {suffixes}")
    return found
