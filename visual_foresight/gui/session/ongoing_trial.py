"""A trial under way: what is kept of it on disk, and the little that memory holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from visual_foresight.control.loop import Step, clip_of, finish
from visual_foresight.control.trial import Trial
from visual_foresight.env_info import View
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.kept_runs.kept_plans import KeptPlans, reader
from visual_foresight.gui.session.kept_runs.run_folder import RunFolder
from visual_foresight.gui.session.kept_runs.turns import as_kept, light
from visual_foresight.gui.session.no_goal import HAS_GOAL
from visual_foresight.gui.session.trials.verdict import (
    StopRule,
    Verdict,
    distance_m,
    verdict_of,
)
from visual_foresight.interfaces import Controller
from visual_foresight.types import Goal, Pixel, Plan

SECONDS = "plan_seconds"
"""The note that says how long each plan took."""


@dataclass
class OngoingTrial:
    """A trial under way."""

    goal: Goal
    steps: Iterator[Step]
    controller: Controller
    """What plans in it."""
    points: tuple[Any, ...]
    """The physical points behind the designated pixels."""
    start: Any
    """A snapshot of the world at its beginning; None where there are none."""
    rule: StopRule
    """What ends it near its goal."""
    run: RunFolder
    """Where each step is kept, with what was imagined."""
    model: str
    """The name of what imagines."""
    label: str | None = None
    """The outcome to record of what is for no goal; None where the final distance decides."""
    places: tuple[Pixel, ...] = ()
    """Where the designated pixels are believed to be now; none if the controller does not look."""
    taken: list[Step] = field(default_factory=list)
    """The steps so far, without what was imagined."""
    planned: Plan | None = None
    """The plan of the newest step, as the controller made it."""
    pending: Plan | None = None
    """The same as it is kept, to be shown; nothing of it has been carried out."""

    def __post_init__(self) -> None:
        self.read_plan = reader(self.run.read_plan, self._without_prediction)

    def advance(self) -> Step:
        """Carry out the first action of the pending plan, observe, plan again, and keep that.

        What has happened is among the steps so far also if this fails.
        """
        previous = self.planned
        step = next(self.steps)
        self.taken.append(light(step))
        self.planned = step.plan
        self.pending = None if step.plan is None else as_kept(step.plan)
        self.run.add(step, self.model)
        if step.plan is None:
            next(self.steps, None)  # raises what kept the controller from planning, if anything
        self.places = step.plan.sources if step.plan else self._places_after(previous)
        return step

    def _places_after(self, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the designated pixels are believed to be after the last step."""
        if not self.goal.sources or previous is None:
            return ()
        plans = [step.plan for step in self.taken if step.plan is not None]
        actions = [plan.actions[0].detach().cpu().numpy() for plan in plans]
        observations = [step.observation for step in self.taken]
        clip = clip_of(observations, actions, len(actions[0]))
        return self.controller.locate(clip, self.goal, previous)

    def trial(self) -> Trial:
        """Return the trial so far."""
        trial = trial_of(self.goal, self.taken, has_goal=self.label is None)
        return replace(trial, plans=KeptPlans(self.read_plan, len(trial.episode.actions)))

    def _without_prediction(self, index: int) -> Plan:
        plan = self.taken[index].plan
        assert plan is not None, f"step {index} is the last one"
        return plan


@dataclass(frozen=True)
class Earlier:
    """What a run takes over from an earlier one."""

    points: tuple[Any, ...]
    """See `OngoingTrial`: what was designated then, wherever it is now."""
    rule: StopRule
    """What ends it."""
    start: Any = None
    """A snapshot of the world to go back to first; None: the world stays as it is."""


@dataclass(frozen=True)
class EndedTrial:
    """What is kept of a run that has ended, to do it again, or to go on with it."""

    goal: Goal
    start: Any
    """See `OngoingTrial`."""
    points: tuple[Any, ...]
    next_goal: Goal
    """The same goal pixels, from where the designated pixels are believed to be now."""
    next_rule: StopRule
    """What ends the run if it goes on."""
    verdict: Verdict
    """What is said of it."""

    def again(self, rule: StopRule) -> Earlier:
        """Return what a run takes over that does this one again, with another rule."""
        return Earlier(self.points, rule, self.start)

    def going_on(self) -> Earlier:
        """Return what a run takes over that goes on with this one."""
        return Earlier(self.points, self.next_rule)

    @classmethod
    def of(cls, ongoing: OngoingTrial, trial: Trial, outcome: str, view: View) -> "EndedTrial":
        """Return what is kept of a run.

        Args:
            ongoing: with one action or more.
            trial: what was made of it.
            outcome: as it is recorded.
            view: the camera that saw it.
        """
        goal = ongoing.goal
        places = ongoing.places
        last = ongoing.taken[-1]
        belief_m = distance_m(view, goal, last, places)
        next_rule = ongoing.rule.nearer(ongoing.rule.away_m(last, belief_m))
        return cls(
            goal=goal,
            start=ongoing.start,
            points=ongoing.points,
            next_goal=PixelGoal(places, goal.targets) if places else goal,
            next_rule=next_rule,
            verdict=verdict_of(trial, outcome, belief_m, next_rule),
        )


def trial_of(goal: Goal, steps: Sequence[Step], has_goal: bool) -> Trial:
    """Return the trial that some steps are, with how long each plan took among its notes.

    Args:
        goal: what the loop was run with.
        steps: see `control.loop.finish`.
        has_goal: whether they are for that goal; if not, there are no distances to it.
    """
    seconds = [step.plan.seconds for step in steps if step.plan is not None]
    if has_goal:
        return finish(goal, steps, {SECONDS: seconds})
    trial = finish(goal, steps, {SECONDS: seconds, HAS_GOAL: False})
    return replace(trial, distances=(), distances_m=())
