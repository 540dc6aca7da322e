"""Check recorded episodes: name what is damaged, missing or foreign, and what to do about it.

What is sound but doubtful, such as frames of one colour, is counted beside (see `remarks`).
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from visual_foresight.episodes.causes import COLLECT_AGAIN, RECORDING
from visual_foresight.episodes.episode_files import (
    LEFTOVERS,
    episode_path,
    foreign_error,
    list_folder,
    number_elsewhere,
    read_packed,
)
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, read_info
from visual_foresight.episodes.laws import Breach, advice_on_misfit, breach_of
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.remarks import MEANINGS, remarks_on
from visual_foresight.types import UserError

MAX_GAP = 10_000
"""Missing episodes in a row that are named one by one; a clock's number leaves a wider gap."""


@dataclass(frozen=True)
class Problem:
    """Something in a dataset that cannot be used, and what to do about it."""

    path: Path
    what: str
    advice: str
    """Empty where `what` says it, too."""


@dataclass(frozen=True)
class Doubt:
    """Something in sound episodes that may not be meant, as often as it was found."""

    meaning: str
    num_episodes: int
    """How many sound episodes have it."""
    count: int
    """How many frames there are of it, or points and frames, or episodes."""
    first_episode: int
    """Number of the first episode that has it."""
    first_frame: int
    """Where in that."""


@dataclass(frozen=True)
class Report:
    """What `validate` found."""

    folder: Path
    num_sound: int
    """How many episodes have no problem."""
    problems: tuple[Problem, ...]
    doubts: dict[str, Doubt]
    """By the keys of `remarks.MEANINGS`: only what was found."""


@dataclass
class _Findings:
    """What the episodes were found to be, one after another."""

    num_sound: int = 0
    breaches: dict[int, Breach] = field(default_factory=dict)
    """Number of an episode -> the law that it breaks."""
    unreadable: dict[int, str] = field(default_factory=dict)
    """Number of an episode -> why it cannot be read, and what to do."""
    doubts: dict[str, Doubt] = field(default_factory=dict)

    def look_at(
        self, number: int, read: Callable[[], PackedEpisode], info: DatasetInfo
    ) -> None:
        """Read an episode, and note what is wrong with it or doubtful."""
        try:
            episode = read()
        except UserError as error:
            self.unreadable[number] = str(error)
            return
        breach = breach_of(episode, info)
        if breach is not None:
            self.breaches[number] = breach
            return
        self.num_sound += 1
        for remark in remarks_on(episode):
            before = self.doubts.get(remark.kind)
            if before is None:
                before = Doubt(MEANINGS[remark.kind], 0, 0, number, remark.first)
            self.doubts[remark.kind] = Doubt(
                before.meaning,
                before.num_episodes + 1,
                before.count + remark.count,
                before.first_episode,
                before.first_frame,
            )

    def shared_misfit(self) -> Breach | None:
        """Return what no episode that could be read fits in `dataset.json`, if there is such."""
        breaches = list(self.breaches.values())
        if self.num_sound or len(breaches) < 2:
            return None
        first = breaches[0]
        return first if all(first.is_the_misfit_of(each) for each in breaches) else None


def validate(path: Path) -> Report:
    """Read everything in a folder of ours, or in another dataset, and report what cannot be used.

    Raises:
        UserError: there are no episodes at all, or what they have in common cannot be read.
    """
    if (path / INFO_NAME).is_file():
        return _check_folder(path)
    source = open_episodes(path)
    findings = _Findings()
    for index, number in enumerate(source.numbers):
        findings.look_at(number, partial(source.packed, index), source.info)
    problems = [
        Problem(path / f"episode {number}", what, "mend it where it was recorded")
        for number, what in findings.unreadable.items()
    ]
    return Report(path, findings.num_sound, tuple(problems), findings.doubts)


def _check_folder(folder: Path) -> Report:
    """Check every file of a folder of ours."""
    info = read_info(folder)
    numbers, foreign = list_folder(folder)
    problems = [
        Problem(path, str(foreign_error(path)).removeprefix(f"{path} "), "") for path in foreign
    ]
    for path in sorted(folder.glob(LEFTOVERS)):
        if RECORDING.fullmatch(path.name):
            if path.suffix not in (".steps", ".frames"):
                what = "is a recording that goes on, or whose program was killed"
                advice = "let it end, or make an episode of it with `validate --recover`"
                problems.append(Problem(path, what, advice))
            continue
        what = "was left by an interrupted run, or is being written now"
        advice = "delete it if nothing is writing"
        if info.was_collected:
            advice = "collect again, which removes it, or delete it"
        problems.append(Problem(path, what, advice))
    if info.was_collected:  # others may number their episodes as they like
        elsewhere = [number_elsewhere(path) for path in foreign]
        present = {*numbers, *(number for number in elsewhere if number is not None)}
        problems += _gaps(folder, sorted(present))
    findings = _Findings()
    for number in numbers:
        path = episode_path(folder, number)
        findings.look_at(number, partial(read_packed, path), info)
    problems += _problems_of(findings, folder, info)
    return Report(folder, findings.num_sound, tuple(problems), findings.doubts)


def _gaps(folder: Path, numbers: Sequence[int]) -> list[Problem]:
    """Return which episodes are missing in a folder that `collect` wrote."""
    problems = []
    for before, number in itertools.pairwise([-1, *numbers]):
        gap = number - before - 1
        if gap > MAX_GAP:
            what = f"comes after {gap} numbers that no episode has, where `collect` leaves out none"
            problems.append(
                Problem(
                    episode_path(folder, number), what, f"move it elsewhere, or {COLLECT_AGAIN}"
                )
            )
            continue
        problems += [
            Problem(episode_path(folder, missing), "is missing", COLLECT_AGAIN)
            for missing in range(before + 1, number)
        ]
    return problems


def _problems_of(findings: _Findings, folder: Path, info: DatasetInfo) -> list[Problem]:
    """Return what is wrong with the episodes of a folder, in the order of their numbers."""
    told: dict[Path, tuple[str, str]] = {}
    for number, what in findings.unreadable.items():
        path = episode_path(folder, number)
        told[path] = what.removeprefix(f"{path} "), ""
    shared = findings.shared_misfit()
    if shared is not None:
        told[folder / INFO_NAME] = (
            f"fits none of the {len(findings.breaches)} episodes: `{shared.field}` says "
            f"{shared.expected}, but each {shared.what}",
            f"{shared.change or f'correct it to {shared.found}'}; nothing is wrong with the "
            "episodes",
        )
    else:
        for number, breach in findings.breaches.items():
            others = [each for at, each in findings.breaches.items() if at != number]
            fitting: list[Breach | None] = [None] * findings.num_sound
            advice = breach.advice
            if breach.field:
                advice = advice_on_misfit(breach, [*others, *fitting], info)
            told[episode_path(folder, number)] = breach.what, advice
    return [Problem(path, what, advice) for path, (what, advice) in sorted(told.items())]
