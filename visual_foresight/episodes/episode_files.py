"""The files of a dataset folder: one per episode, in the format that its suffix names."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visual_foresight.episodes.casts import as_stored
from visual_foresight.episodes.causes import advice_on
from visual_foresight.episodes.formats.registry import (
    DEFAULT_FORMAT,
    EpisodeFormat,
    ReadByParts,
    episode_formats,
)
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, read_info
from visual_foresight.episodes.laws import breach_of
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.system.locks import is_another
from visual_foresight.types import Episode, UserError

EPISODE_STEM = re.compile(r"episode_(\d{6}|[1-9]\d{6,})")
"""Six digits, or more where the number has more, as a clock's has."""
LEFTOVERS = ".*.tmp.*"
"""What files are called while they are written, and after that was interrupted."""
HALF_WRITTEN = re.compile(rf"\.({EPISODE_STEM.pattern}|dataset)\.(?P<process>\d+)\.tmp\.\w+")
"""What `system.files.replacing` calls an episode or `dataset.json` while it is written."""
READMES = re.compile(r"(README|LICEN[CS]E|NOTICE|CITATION)(\.\w+)?", re.IGNORECASE)
OF_THE_SYSTEM = (
    "lost+found",
    "System Volume Information",
    "$RECYCLE.BIN",
    "Thumbs.db",
    "@eaDir",
)
"""What file systems and file managers put into folders by themselves."""


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

    Hidden files are ignored, and what `is_beside` allows.
    """
    numbers, foreign = [], []
    for path in sorted(folder.iterdir()):
        number = episode_number(path)
        if number is not None and path.is_file():
            numbers.append(number)
        elif path.name != INFO_NAME and not is_beside(path):
            foreign.append(path)
    return sorted(numbers), foreign


def is_beside(path: Path) -> bool:
    """Tell whether a file or folder may lie beside episodes.

    These are a README, what is hidden, and what the system puts there.
    """
    name = path.name
    return name.startswith(".") or name in OF_THE_SYSTEM or READMES.fullmatch(name) is not None


def foreign_error(path: Path) -> UserError:
    """Return what is said of a file that `list_folder` calls foreign."""
    if number_elsewhere(path) is None:
        return UserError(f"{path} does not belong in a folder of episodes: move it elsewhere")
    return UserError(
        f"{path} is an episode in a file ({path.suffix}) that no installed format reads (they read "
        f"{_suffixes()}): install the package that brings its format, or move it elsewhere"
    )


def number_elsewhere(path: Path) -> int | None:
    """Return the number of the episode in a file of a format that is not installed, or None."""
    match = EPISODE_STEM.fullmatch(path.stem)
    if match is None or not path.suffix or _format_of(path) is not None or path.is_dir():
        return None
    return int(match[1])


def half_written(folder: Path) -> list[Path]:
    """Return what `write_episode` and `write_info` left of files, in processes that have ended."""
    found = [(path, HALF_WRITTEN.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    return [path for path, match in found if match and not is_another(int(match["process"]))]


def refuse_inside_dataset(folder: Path, flag: str) -> None:
    """Refuse a folder to write into that lies in a dataset, which would not be one any more.

    Args:
        folder: which may not exist yet.
        flag: that gave it, for the sentence: "--folder".

    Raises:
        UserError: a folder above it has a `dataset.json`.
    """
    for above in folder.absolute().parents:
        if (above / INFO_NAME).is_file():
            raise UserError(
                f"{flag} {folder} lies in {above}, a folder of episodes, which may hold nothing "
                "else: choose another place"
            )


def write_episode(
    folder: Path, number: int, episode: Episode, format_: str = DEFAULT_FORMAT
) -> Path:
    """Write the episode of this number, atomically; the same episode gives the same bytes.

    Args:
        folder: of the dataset. If it has a `dataset.json`, the episode must fit it.
        number: of the episode: 0 or more, a clock's for example.
        episode: what to write. What can be cast to the types of `Episode` without loss is: see
            `casts.as_stored`.
        format_: name of the format, unless the episode has a file already.

    Returns:
        Its file.

    Raises:
        UserError: it breaks a law, or the disk is full; nothing half-written is left.
    """
    path = episode_path(folder, number, format_)
    if number < 0:
        raise UserError(f"episodes have numbers of 0 or more, got {number}: choose another")
    try:
        stored = as_stored(episode)
    except UserError as error:
        raise UserError(f"{path} is not written: {error}") from error
    info = read_info(folder) if (folder / INFO_NAME).is_file() else None
    refuse_breach(path, stored, info)
    _require_format(path).write(path, stored)
    return path


def refuse_breach(path: Path, episode: Episode, info: DatasetInfo | None) -> None:
    """Refuse to write an episode that would be refused when it is read.

    Raises:
        UserError: it breaks a law.
    """
    breach = breach_of(episode, info)
    if breach is None:
        return
    advice = breach.advice
    if breach.field:
        advice = f"correct it, or `{breach.field}` in {INFO_NAME} if that is wrong"
    raise UserError(f"{path} is not written, the episode {breach.what}: {advice}")


def read_episode(path: Path) -> Episode:
    """Read an episode.

    Raises:
        UserError: the file is missing, damaged, or no episode, or cannot be read now; the sentence
            names it, and says what to do.
    """
    try:
        return _require_format(path).read(path)
    except UserError as error:
        raise _advised(error, path.parent) from error


def read_packed(path: Path) -> PackedEpisode:
    """Read an episode in packed form; the frames of a long one stay in its file if they can.

    Raises as `read_episode` does.
    """
    try:
        found = _require_format(path)
        if isinstance(found, ReadByParts):
            return found.read_packed(path)
        return PackedEpisode.pack(found.read(path))
    except UserError as error:
        raise _advised(error, path.parent) from error


def read_meta(path: Path) -> Mapping[str, Any]:
    """Read `Episode.meta` alone, without the arrays. Raises as `read_episode` does."""
    try:
        return _require_format(path).read_meta(path)
    except UserError as error:
        raise _advised(error, path.parent) from error


def _advised(error: UserError, folder: Path) -> UserError:
    """Return an error of reading with what to do about it."""
    try:
        info = read_info(folder)
    except (UserError, OSError):  # another sentence is said of that elsewhere
        info = None
    advice = advice_on(error, info)
    return error if advice is None else type(error)(f"{error}: {advice}")


def _format_of(path: Path) -> EpisodeFormat | None:
    return next(
        (each for each in episode_formats().values() if each.suffix == path.suffix), None
    )


def _require_format(path: Path) -> EpisodeFormat:
    found = _format_of(path)
    if found is None:
        raise UserError(f"{path} is no episode: the names of their files end in {_suffixes()}")
    return found


def _suffixes() -> str:
    """Return the endings of the files that can be read."""
    return ", ".join(each.suffix for each in episode_formats().values())
