"""Check recorded episodes: name what is damaged, missing or foreign, and what to do about it."""

from dataclasses import dataclass
from pathlib import Path

from visual_foresight.episodes.episode_files import episode_path, list_folder, read_episode
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, misfit, read_info
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.source import EpisodeSource
from visual_foresight.types import UserError

COLLECT_AGAIN = "collect again with the same settings, which makes it anew"


@dataclass(frozen=True)
class Problem:
    """Something in a dataset that cannot be used, and what to do about it."""

    path: Path
    what: str
    advice: str


@dataclass(frozen=True)
class Report:
    """What `validate` found."""

    folder: Path
    num_sound: int
    """How many episodes have no problem."""
    problems: tuple[Problem, ...]


def validate(path: Path) -> Report:
    """Read everything in a folder of ours, or in another dataset, and report what cannot be used.

    Raises:
        UserError: there are no episodes at all, or what they have in common cannot be read.
    """
    if (path / INFO_NAME).is_file():
        return _check_folder(path)
    source = open_episodes(path)
    problems = []
    for index, number in enumerate(source.numbers):
        problem = _problem_at(source, index)
        if problem is not None:
            where = path / f"episode {number}"
            problems.append(Problem(where, problem, "mend it where it was recorded"))
    return Report(path, len(source.numbers) - len(problems), tuple(problems))


def _check_folder(folder: Path) -> Report:
    """Check every file of a folder of ours."""
    info = read_info(folder)
    numbers, foreign = list_folder(folder)
    problems = [
        Problem(path, "does not belong in a folder of episodes", "move it elsewhere")
        for path in foreign
    ]
    for path in sorted(folder.glob(".*.tmp.*")):
        what = "was left by an interrupted run"
        problems.append(Problem(path, what, "collect again, which removes it, or delete it"))
    for number in sorted(set(range(max(numbers, default=-1))) - set(numbers)):
        problems.append(Problem(episode_path(folder, number), "is missing", COLLECT_AGAIN))
    num_sound = 0
    for number in numbers:
        path = episode_path(folder, number)
        problem = _problem_of(path, info)
        if problem is None:
            num_sound += 1
        else:
            problems.append(Problem(path, problem, f"delete it and {COLLECT_AGAIN}"))
    return Report(folder, num_sound, tuple(problems))


def _problem_of(path: Path, info: DatasetInfo) -> str | None:
    """Return in words why an episode cannot be used, or None if it can."""
    try:
        return misfit(read_episode(path), info)
    except UserError as error:
        return str(error.__cause__)


def _problem_at(source: EpisodeSource, index: int) -> str | None:
    """Return in words why an episode of a dataset cannot be used, or None if it can."""
    try:
        return misfit(source.packed(index).unpack(), source.info)
    except UserError as error:
        return str(error)
