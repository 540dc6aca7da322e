"""A folder of episodes read whole.

What is damaged, missing or foreign is named, with what to do about it.
"""

from dataclasses import dataclass
from pathlib import Path

from visual_foresight.episodes.dataset import _listing, _misfit
from visual_foresight.episodes.formats.hdf5 import episode_path, read_episode
from visual_foresight.episodes.info import read_info
from visual_foresight.types import UserError


@dataclass(frozen=True)
class Problem:
    """Something in a dataset folder that cannot be used, and what to do about it."""

    path: Path
    what: str
    advice: str


@dataclass(frozen=True)
class Report:
    """What `validate` found: how many episodes are sound, and each thing that is not."""

    folder: Path
    num_sound: int
    problems: tuple[Problem, ...]


def validate(folder: Path) -> Report:
    """Read everything in a folder and name what is damaged, missing or foreign, with what to do
    about it.

    Raises:
        UserError: it is no folder of episodes at all, or its `dataset.json` is damaged.
    """
    info = read_info(folder)
    numbers, foreign = _listing(folder)
    problems = [
        Problem(path, "does not belong into a folder of episodes", "move it elsewhere")
        for path in foreign
    ]
    again = "delete it and collect again with the same settings, which makes it anew"
    for path in sorted(folder.glob(".*.tmp.*")):
        problems.append(
            Problem(
                path,
                "was left by an interrupted run",
                "collect again, which removes it, or delete it",
            )
        )
    for number in sorted(set(range(max(numbers, default=-1))) - set(numbers)):
        missing = episode_path(folder, number)
        problems.append(
            Problem(
                missing,
                "is missing",
                "collect again with the same settings, which makes it anew",
            )
        )
    num_sound = 0
    for number in numbers:
        path = episode_path(folder, number)
        try:
            misfit = _misfit(read_episode(path), info)
        except UserError as error:
            misfit = str(error.__cause__)
        if misfit is None:
            num_sound += 1
        else:
            problems.append(Problem(path, misfit, again))
    return Report(folder, num_sound, tuple(problems))
