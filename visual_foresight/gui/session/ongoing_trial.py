"""A trial under way, and what is kept of it in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from visual_foresight.control.loop import Step, clip_of, finish
from visual_foresight.control.trial import Trial
from visual_foresight.env_info import View
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.trials.verdict import (
    StopRule,
    Verdict,
    distance_m,
    verdict_of,
)
from visual_foresight.interfaces import Controller
from visual_foresight.types import Goal, Pixel, Plan


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
    label: str | None = None
    """The outcome to record of what is for no goal; None where the final distance decides."""
    places: tuple[Pixel, ...] = ()
    """Where the designated pixels are believed to be now; none if the controller does not look."""
    taken: list[Step] = field(default_factory=list)
    """The steps so far; the plan of the last one is pending."""

    def advance(self) -> Step:
        """Carry out the first action of the pending plan, observe, and plan again."""
        previous = self.taken[-1].plan if self.taken else None
        if self.taken and (plan := self.taken[-1].plan) is not None:
            self.taken[-1] = replace(self.taken[-1], plan=_without_runners_up(plan))
        step = next(self.steps)
        self.taken.append(step)
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
        trial = finish(self.goal, self.taken)
        if self.label is None:
            return trial
        return replace(trial, distances=(), distances_m=())  # it is for no goal


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
        belief_m = distance_m(view, goal, ongoing.taken[-1], places)
        return cls(
            goal=goal,
            start=ongoing.start,
            points=ongoing.points,
            next_goal=PixelGoal(places, goal.targets) if places else goal,
            next_rule=ongoing.rule.nearer(belief_m),
            verdict=verdict_of(trial, outcome, belief_m, ongoing.rule),
        )


def _without_runners_up(plan: Plan) -> Plan:
    """Return a plan without what its runners-up imagine: three quarters of its memory."""
    prediction = replace(
        plan.prediction,
        frames=plan.prediction.frames[:1].clone(),
        pixel_maps=plan.prediction.pixel_maps[:1].clone(),
        lost=plan.prediction.lost[:1],
        carry=None,
        members=(),
        signals={name: signal[:1].clone() for name, signal in plan.prediction.signals.items()},
    )
    return replace(plan, prediction=prediction, runners_up=plan.runners_up[:0])
