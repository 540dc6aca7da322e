"""A trial under way: what is kept of it on disk, and the little that memory holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from visual_foresight.control.judge import SUCCESS_M
from visual_foresight.control.loop import Step, finish
from visual_foresight.control.trial import Trial
from visual_foresight.gui.session.kept_runs.run_folder import RunFolder
from visual_foresight.gui.session.kept_runs.turns import as_kept, light
from visual_foresight.types import Goal, Plan

SECONDS = "plan_seconds"
"""The note that says how long each plan took."""


@dataclass
class OngoingTrial:
    """A trial under way."""

    goal: Goal
    steps: Iterator[Step]
    run: RunFolder
    """Where each step is kept, with what was imagined."""
    model: str
    """The name of what imagines."""
    label: str | None = None
    """The outcome to record at the end; None where the final distance decides."""
    taken: list[Step] = field(default_factory=list)
    """The steps so far, without what was imagined."""
    pending: Plan | None = None
    """The plan of the newest step, of which nothing has been carried out."""

    def advance(self) -> None:
        """Carry out the first action of the pending plan, observe, plan again, and keep that."""
        step = next(self.steps)
        self.run.add(step, self.model)
        self.taken.append(light(step))
        self.pending = None if step.plan is None else as_kept(step.plan)

    def trial(self) -> Trial:
        """Return the trial so far."""
        trial = trial_of(self.goal, self.taken)
        return replace(trial, plans=self.run.plans(len(trial.episode.actions)))


def trial_of(goal: Goal, steps: Sequence[Step]) -> Trial:
    """Return the trial that some steps are, with how long each plan took among its notes."""
    seconds = [step.plan.seconds for step in steps if step.plan is not None]
    return finish(goal, steps, {SECONDS: seconds})


def outcome_of(trial: Trial) -> str:
    """Return the outcome of a run that came to its end."""
    if trial.is_believed:
        return "not judged"
    if not trial.distances_m:  # nobody has said what would be near enough
        return "done"
    return "reached" if trial.success(SUCCESS_M) else "not reached"
