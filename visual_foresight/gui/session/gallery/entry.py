"""One line of the list of runs: what is said of a run without reading its frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from visual_foresight.control.trial import distance_text
from visual_foresight.goals.registry import goal_from_json
from visual_foresight.gui.session.kept_runs.episode_notes import (
    distances_m_of,
    distances_of,
    num_steps_of,
    refusing_foreign_notes,
)
from visual_foresight.gui.session.kept_runs.run_notes import run_name
from visual_foresight.gui.session.no_goal import HAS_GOAL

DATE = "date"
"""The note that says when a run began."""


@dataclass(frozen=True)
class Entry:
    """A run that was kept: one line of the list of runs."""

    folder: str
    """Name of the run's folder: its env, and how that was made (`World.text`) if otherwise than by
    itself."""
    number: int
    model: str
    goal: str
    outcome: str
    num_steps: int
    distance: float | None
    """Final distance by the goal's own measure; None where it is not known."""
    unit: str
    """What that is in."""
    distance_m: float | None
    """The same in metres; None for a goal without designated pixels, and where it is not known."""
    is_believed: bool
    """Whether the distances are only what the locator believed."""
    date: str = ""
    """When it began, as ISO 8601 writes it, in UTC."""

    @property
    def date_text(self) -> str:
        """Return the date as people read it, in the time of this machine."""
        if not self.date:
            return ""
        return datetime.fromisoformat(self.date).astimezone().strftime("%Y-%m-%d %H:%M")

    @property
    def name(self) -> str:
        """Return the run's name, on the page and in file names."""
        return run_name(self.folder, self.number)

    @property
    def distance_text(self) -> str:
        """Return the final distance in words; nothing where it is not known."""
        return distance_text(
            self.distance, self.unit, self.distance_m, self.is_believed, suffix=""
        )


def date_of(written: object) -> str:
    """Return the date that a run's notes say; nothing if it is none."""
    try:
        datetime.fromisoformat(str(written))
    except ValueError:
        return ""
    return str(written)


def entry_of(folder: str, number: int, meta: Mapping[str, Any]) -> Entry:
    """Make an entry of the notes of an episode.

    Raises:
        UserError: they are not those of a run.
    """
    with refusing_foreign_notes():
        goal = goal_from_json(meta["goal"])
        return Entry(
            folder=folder,
            number=number,
            model=str(meta.get("model", "")),
            goal=goal.describe() if meta.get(HAS_GOAL, True) else "none",
            outcome=str(meta.get("outcome", "")),
            num_steps=num_steps_of(meta),
            distance=_last(distances_of(goal, meta)),
            unit=goal.unit,
            distance_m=_last(distances_m_of(goal, meta)),
            is_believed=bool(meta.get("believed")),
            date=date_of(meta.get(DATE)),
        )


def _last(values: Sequence[float]) -> float | None:
    return values[-1] if values else None
