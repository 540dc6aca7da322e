"""When a run stops by itself, and what is said of one that has ended.

The distance that stops a run is the one that the method may know: what the locator believes. The
judge is asked only where somebody chose it, and for what is said afterwards.
"""

from dataclasses import dataclass, replace

from visual_foresight.control.judge import SUCCESS_M, believed
from visual_foresight.control.loop import Step
from visual_foresight.control.trial import Trial
from visual_foresight.env_info import View
from visual_foresight.gui.session.settings import JUDGE, Settings
from visual_foresight.types import Goal, Pixel

REACHED, NOT_REACHED = "reached", "not reached"
BELIEVED = "believed "
"""Begins the outcome of a run that no judge saw."""


NEAREST_M = 0.001
"""Nearer than this, in metres, is there."""


@dataclass(frozen=True)
class StopRule:
    """Ends a run that is near enough to its goal."""

    within_m: float
    """How near; 0: never."""
    asks_judge: bool
    """Whether the judge says how near it is, not the locator."""

    @classmethod
    def of(cls, settings: Settings) -> "StopRule":
        """Return the rule that was chosen."""
        return cls(settings.stop_within_cm / 100, settings.stop_by == JUDGE)

    def is_met(self, view: View, goal: Goal, step: Step) -> bool:
        """Tell whether a run is to end at a step.

        A goal without designated pixels, or of pixels that are all to keep still, ends no run, and
        neither does a camera that is not calibrated.
        """
        has_to_move = goal.sources != goal.targets
        if not self.within_m or not has_to_move or not step.index:
            return False
        away_m = self.away_m(step, believed_m(view, goal, step))
        return away_m is not None and away_m <= self.within_m

    def away_m(self, step: Step, belief_m: float | None) -> float | None:
        """Return the distance to the goal that counts here, in metres; None if nobody says.

        Args:
            step: what the judge measured.
            belief_m: what the locator believes.
        """
        if self.asks_judge and step.verdict is not None:
            return step.verdict.distance_m
        return belief_m

    def nearer(self, away_m: float | None) -> "StopRule":
        """Return the rule to go on with: this one, halved until it is not met.

        Args:
            away_m: the distance that counts, at the end of the run.
        """
        within_m = self.within_m
        while away_m is not None and max(away_m, NEAREST_M) <= within_m:
            within_m /= 2
        return replace(self, within_m=within_m)


def believed_m(view: View, goal: Goal, step: Step) -> float | None:
    """Return how far the goal is as the locator believes, in metres; None if it does not say."""
    return None if step.plan is None else distance_m(view, goal, step, step.plan.sources)


def distance_m(view: View, goal: Goal, step: Step, places: tuple[Pixel, ...]) -> float | None:
    """Return how far the goal is from places in a step's frame; None if metres are not known."""
    measured = believed(view, goal, step.observation, places)
    return None if measured is None else measured.distance_m


@dataclass(frozen=True)
class Verdict:
    """What is said of a run that has ended."""

    outcome: str
    """As it is recorded: reached, not reached, stopped, ..."""
    num_steps: int
    distance: str
    """How far the goal is, in words; nothing where nobody can say."""
    believed_m: float | None
    """How far it is as the locator believes; None where that is the distance itself."""
    next_within_m: float
    """How near to the goal it stops if it goes on; 0: never."""

    @property
    def text(self) -> str:
        """Return it in one sentence: "reached: 1.8 cm in 4 steps"."""
        steps = f"{self.num_steps} step{'s' if self.num_steps != 1 else ''}"
        is_there = self.outcome in (REACHED, BELIEVED + REACHED)
        sentence = f"{self.outcome}: "
        if self.distance and is_there:
            sentence += f"{self.distance} in {steps}"
        elif self.distance:
            sentence += f"{self.distance} to go after {steps}"
        else:
            sentence += steps
        if self.believed_m is not None and (self.believed_m <= SUCCESS_M) != is_there:
            sentence += f" (the locator believed {100 * self.believed_m:.1f} cm)"
        return sentence


def outcome_of(trial: Trial) -> str:
    """Return the outcome of a run that came to its end, or stopped near its goal."""
    if not trial.distances_m:  # nobody has said what would be near enough
        return "not judged" if trial.is_believed else "done"
    outcome = REACHED if trial.success(SUCCESS_M) else NOT_REACHED
    return BELIEVED + outcome if trial.is_believed else outcome


def verdict_of(
    trial: Trial, outcome: str, belief_m: float | None, next_rule: StopRule
) -> Verdict:
    """Return what is said of a run that has ended.

    Args:
        trial: the run.
        outcome: as it is recorded.
        belief_m: how far the goal is as the locator believes at the end, if it says.
        next_rule: what ends it if it goes on.
    """
    distance = trial.distance_text(-1, suffix="")
    if trial.is_believed:  # the outcome says so already
        distance = distance.removeprefix(BELIEVED)
    return Verdict(
        outcome=outcome,
        num_steps=len(trial.episode.actions),
        distance=distance,
        believed_m=None if trial.is_believed else belief_m,
        next_within_m=next_rule.within_m,
    )
