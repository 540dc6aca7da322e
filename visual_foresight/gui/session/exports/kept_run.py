"""A kept run as it is exported and compared: what is known of it, in one value."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from visual_foresight.control.trial import Trial
from visual_foresight.gui.session.gallery.entry import Entry
from visual_foresight.gui.session.no_goal import HAS_GOAL, NoGoal, goal_of
from visual_foresight.gui.session.ongoing_trial import SECONDS
from visual_foresight.gui.session.settings import Settings
from visual_foresight.types import Goal, Plan


@dataclass(frozen=True)
class Curve:
    """A value at each step of a run."""

    values: tuple[float, ...]
    unit: str


@dataclass(frozen=True)
class KeptRun:
    """A run that was kept."""

    entry: Entry
    trial: Trial
    note: str
    """What somebody wrote about it."""

    @classmethod
    def of(cls, entry: Entry, trial: Trial, note: str) -> "KeptRun":
        """Make one of what the archive has; one without a goal is no distance away from it."""
        if not trial.episode.meta.get(HAS_GOAL, True):
            trial = replace(trial, distances=(), distances_m=())
        return cls(entry, trial, note)

    @property
    def goal(self) -> Goal | None:
        """Return what the run was for; None if it was for none."""
        goal = goal_of(self.trial)
        return None if isinstance(goal, NoGoal) else goal

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return how it was set up: those fields of `Settings` that were kept."""
        meta = self.trial.episode.meta
        return {each.name: meta[each.name] for each in fields(Settings) if each.name in meta}

    @property
    def distance(self) -> Curve:
        """Return how far the goal was, in cm where metres are known; nothing where nobody says."""
        if self.trial.distances_m:
            return Curve(tuple(100 * value for value in self.trial.distances_m), "cm")
        return Curve(self.trial.distances, self.trial.goal.unit)

    @property
    def plan_seconds(self) -> Curve:
        """Return how long each plan took; nothing of older runs, which did not keep that."""
        seconds = self.trial.episode.meta.get(SECONDS, ())
        return Curve(tuple(seconds[: self.entry.num_steps]), "s")

    @property
    def measured_by(self) -> str:
        """Return who says how far the goal is, in words; nothing where nobody does."""
        if not self.distance.values:
            return ""
        if self.trial.is_believed:
            return "as the locator believes; nobody knew the truth"
        if self.trial.goal.targets:
            return "by the simulator's judge, which knows the truth; what plans does not"
        return "by the difference of what the camera saw from the goal"


def best_cost(plan: Plan) -> float | None:
    """Return the least cost of a search's last iteration; None where nothing was searched for."""
    return float(plan.costs[-1].min()) if plan.costs else None


def imagines(plan: Plan) -> bool:
    """Tell whether there is something to show of what a plan is imagined to lead to."""
    prediction = plan.prediction
    return bool(prediction.frames.shape[1] or prediction.pixel_maps.shape[2])
