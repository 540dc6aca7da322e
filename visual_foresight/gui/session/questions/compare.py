"""Two models beside one another: both imagine the same actions, from the same frames.

Either the plan for the present frame, which one of them has made; or the actions that a run has
carried out, from each of its steps.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from visual_foresight.control.replay import imagine, reimagine
from visual_foresight.gui.session.kept_runs.kept_plans import in_memory
from visual_foresight.gui.session.questions.scores import Scores, Series, score
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.types import Clip, Episode, Goal, Plan

BATCH = 4
"""Steps of a run that are imagined at once: after so many it can be broken off."""
Watched = Callable[[Iterable[Plan]], Iterable[Plan]]
"""Hands plans on one by one, and breaks off when nobody wants more of them."""


@dataclass(frozen=True)
class Named:
    """A model, and its name on the page."""

    name: str
    predictor: Predictor


@dataclass(frozen=True)
class Compared:
    """What one model imagines, and how well that ends."""

    name: str
    plans: Sequence[Plan]
    scores: tuple[Scores, ...]
    """One for each plan."""


@dataclass(frozen=True)
class Comparison:
    """What two models imagine of the same actions, step by step."""

    models: tuple[Compared, Compared]
    still: tuple[Scores, ...]
    """The scores of the persistence baseline, for which nothing moves."""
    first_step: int
    """The step of the run that the first plans begin in."""
    is_of_run: bool
    """Whether the actions were carried out, so that it is known what came of them."""
    unit: str
    """What the distances to the goal are in."""

    @property
    def names(self) -> str:
        """Return both names in words."""
        return f"{self.models[0].name} and {self.models[1].name}"

    def index(self, step: int) -> int | None:
        """Return the number of the plans that begin in a step; None where there are none."""
        index = step - self.first_step
        return index if 0 <= index < len(self.still) else None

    def scores_at(self, step: int) -> tuple[Scores, Scores, Scores] | None:
        """Return the scores of both models, and of `still`, from one step on."""
        index = self.index(step)
        if index is None:
            return None
        first, second = self.models
        return first.scores[index], second.scores[index], self.still[index]


def one_step_ahead(scores: Sequence[Scores], name: str) -> Series:
    """Return the score one step ahead, by step of the run; empty where it is not known.

    Args:
        scores: one for each step.
        name: of a field of `Scores`.
    """
    series: list[Series] = [getattr(each, name) for each in scores]
    return tuple(values[0] for values in series if values)


def compare_plan(
    plan: Plan, maker: str, other: Named, clip: Clip, goal: Goal, step: int
) -> Comparison:
    """Have another model imagine the plan for the present frame.

    Args:
        plan: with what its maker imagines of it.
        maker: the name of the model that has made it.
        other: what imagines it, too.
        clip: what was seen so far.
        goal: what the plan is for.
        step: of the run, at which it was made.
    """
    again = _imagined_by(other.predictor, plan, clip)
    rests = _imagined_by(Persistence(), plan, clip)
    return Comparison(
        models=(
            Compared(maker, (plan,), (score(plan, goal),)),
            Compared(other.name, (again,), (score(again, goal),)),
        ),
        still=(score(rests, goal),),
        first_step=step,
        is_of_run=False,
        unit=goal.unit,
    )


def _imagined_by(predictor: Predictor, plan: Plan, clip: Clip) -> Plan:
    """Return a plan with what another model imagines of it."""
    actions = plan.actions.cpu()
    prediction = imagine(predictor, clip, actions[None], [plan.sources])
    light = replace(prediction, carry=None, members=())
    return Plan(actions, plan.sources, light, (), plan.seconds)


def compare_run(
    models: tuple[Named, Named], episode: Episode, goal: Goal, horizon: int, watched: Watched
) -> Comparison:
    """Have two models imagine the actions that a run has carried out, from each of its steps.

    Args:
        models: both can be asked about the past.
        episode: what happened, with one action or more.
        goal: what the run was for.
        horizon: how many actions ahead.
        watched: breaks it off.
    """

    def compared(model: Named) -> Compared:
        scores: list[Scores] = []
        plans = _scored(model.predictor, episode, goal, horizon, scores)
        kept = in_memory(watched(plans), episode.observation(0), model.name)
        return Compared(model.name, kept, tuple(scores))

    rests = reimagine(Persistence(), episode, horizon)
    still = [score(plan, goal, episode, step) for step, plan in enumerate(watched(rests))]
    return Comparison(
        models=(compared(models[0]), compared(models[1])),
        still=tuple(still),
        first_step=0,
        is_of_run=True,
        unit=goal.unit,
    )


def _scored(
    predictor: Predictor, episode: Episode, goal: Goal, horizon: int, scores: list[Scores]
) -> Iterator[Plan]:
    """Yield what a model imagines from each step, and add its scores to a list."""
    for step, plan in enumerate(reimagine(predictor, episode, horizon, BATCH)):
        scores.append(score(plan, goal, episode, step))
        yield plan
