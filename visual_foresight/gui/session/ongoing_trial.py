"""A trial under way, and what is kept of it in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from visual_foresight.control.judge import SUCCESS_M
from visual_foresight.control.loop import Step, finish
from visual_foresight.control.trial import Trial
from visual_foresight.types import Goal, Plan


@dataclass
class OngoingTrial:
    """A trial under way."""

    goal: Goal
    steps: Iterator[Step]
    label: str | None = None
    """The outcome to record at the end; None where the final distance decides."""
    taken: list[Step] = field(default_factory=list)
    """The steps so far; the plan of the last one is pending."""

    def advance(self) -> Step:
        """Carry out the first action of the pending plan, observe, and plan again."""
        if self.taken and (plan := self.taken[-1].plan) is not None:
            self.taken[-1] = replace(self.taken[-1], plan=_without_runners_up(plan))
        self.taken.append(next(self.steps))
        return self.taken[-1]

    def trial(self) -> Trial:
        """Return the trial so far."""
        return finish(self.goal, self.taken)


def outcome_of(trial: Trial) -> str:
    """Return the outcome of a run that came to its end."""
    if trial.is_believed:
        return "not judged"
    if not trial.distances_m:  # nobody has said what would be near enough
        return "done"
    return "reached" if trial.success(SUCCESS_M) else "not reached"


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
