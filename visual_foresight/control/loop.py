"""The one closed control loop: observe, plan, act, and observe again.

Visual model-predictive control (Ebert et al. 2018, algorithm 1) carries out the first action of
each plan and plans anew. The controller sees the clip and the goal; only the judge, where there is
one, asks the env where things really are. The loop is a generator: the page draws each step, a
benchmark exhausts it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from visual_foresight.control.judge import Measurement, TrialJudge, believed
from visual_foresight.control.trial import Trial, distance_text
from visual_foresight.interfaces import Controller, Env
from visual_foresight.types import (
    Clip,
    Episode,
    Goal,
    Observation,
    Plan,
    other_views_of,
    signals_of,
    to_float,
)

CLIP_FRAMES = 8
"""Frames of the clip given to controllers; a predictor takes as many of the newest as it needs."""


@dataclass(frozen=True)
class Step:
    """One turn of the loop: what is seen, the plan for it, and the distance to the goal.

    The plan's first action is not carried out yet.
    """

    index: int
    """Actions carried out before this step."""
    observation: Observation
    plan: Plan | None
    """None at the end, when no action follows."""
    verdict: Measurement | None
    """What the judge measured; None where there is no judge."""
    belief: Measurement | None = None
    """Without a judge, what the controller believes; None if it does not look."""

    @property
    def measured(self) -> Measurement | None:
        """Return the verdict, or else the belief, or else None."""
        return self.belief if self.verdict is None else self.verdict

    @property
    def distance_text(self) -> str:
        """Return the distance to the goal in words; nothing where it is not known."""
        measured = self.measured
        if measured is None:
            return ""
        is_believed = self.verdict is None and bool(measured.places)
        return distance_text(measured.distance, measured.unit, measured.distance_m, is_believed)


def run_trial(
    env: Env,
    controller: Controller,
    goal: Goal,
    judge: TrialJudge | None,
    rng: torch.Generator,
    num_steps: int = 20,
) -> Iterator[Step]:
    """Run the loop from the env's present state, yielding `num_steps + 1` steps.

    The last step has no plan. The action of a step is carried out when the next step is asked
    for; to stop, do not ask. Where the controller fails, the step has no plan either, so that what
    the action before led to is not lost; its error is raised when the next step is asked for.

    Args:
        env: as reset by the caller.
        controller: sees frames, the robot's state and the goal, nothing else.
        goal: its designated pixels, if it has any, are places in the present frame.
        judge: measures the env's present state at each step; None where there is none.
        rng: the controller's source of chance.
        num_steps: how many actions.
    """
    view = env.info.view
    action_size = env.info.action_size
    observations = [env.observe()]
    actions: list[Float[np.ndarray, " a"]] = []
    previous: Plan | None = None
    for index in range(num_steps + 1):
        plan = None
        belief = None
        clip = clip_of(observations, actions, action_size)
        newest = observations[-1]
        failure: Exception | None = None
        if index < num_steps:
            try:
                plan = controller.plan(clip, goal, previous, rng)
            except Exception as error:  # noqa: BLE001  it is raised below
                failure = error
        if judge is None and failure is None:
            places = plan.sources if plan else controller.locate(clip, goal, previous)
            belief = believed(view, goal, newest, places)
        verdict = None if judge is None else judge.measure(newest)
        yield Step(index, newest, plan, verdict, belief)
        if failure is not None:
            raise failure
        if plan is not None:
            action = _first_action(plan)
            seen, *_ = env.step(action)
            actions.append(action)
            observations.append(Observation.of(seen))
            previous = plan


def finish(goal: Goal, steps: Sequence[Step], meta: Mapping[str, Any] | None = None) -> Trial:
    """Make a trial of the steps of a loop, also of one that was stopped.

    Args:
        goal: what the loop was run with.
        steps: in order, one or more; the plan of the last one was not carried out.
        meta: plain JSON values for the episode.
    """
    plans = tuple(step.plan for step in steps[:-1] if step.plan is not None)
    action_size = plans[0].actions.shape[1] if plans else 0
    actions = np.array([_first_action(plan) for plan in plans], np.float32)
    verdicts = [step.verdict for step in steps]
    places = [
        [(pixel.row, pixel.col) for pixel in verdict.places] if verdict else []
        for verdict in verdicts
    ]
    measured = [step.measured for step in steps]
    known = [each for each in measured if each is not None]
    lengths = [each.distance for each in known if each.distance is not None]
    lengths_m = [each.distance_m for each in known if each.distance_m is not None]
    episode = Episode(
        actions=actions.reshape(len(plans), action_size),
        frames=np.stack([step.observation.frame for step in steps]),
        states=np.stack([step.observation.state for step in steps]),
        tracks=np.array(places, np.float32).reshape(len(steps), -1, 2),
        meta=dict(meta or {}),
        signals=signals_of([step.observation for step in steps]),
        other_views=other_views_of([step.observation for step in steps]),
    )
    return Trial(
        goal=goal,
        episode=episode,
        plans=plans,
        distances=tuple(lengths) if len(lengths) == len(steps) else (),
        distances_m=tuple(lengths_m) if len(lengths_m) == len(steps) else (),
        is_believed=None in verdicts and bool(goal.sources),
    )


def _first_action(plan: Plan) -> Float[np.ndarray, " a"]:
    return plan.actions[0].detach().cpu().numpy().astype(np.float32)


def clip_of(
    observations: Sequence[Observation],
    actions: Sequence[Float[np.ndarray, " a"]],
    action_size: int,
) -> Clip:
    """Return the newest `CLIP_FRAMES` observations and the actions between them.

    If there are fewer, the first one is repeated, with actions of 0 in between.
    """
    newest = list(observations[-CLIP_FRAMES:])
    num_missing = CLIP_FRAMES - len(newest)
    newest = [newest[0]] * num_missing + newest
    resting = [np.zeros(action_size, np.float32)] * num_missing
    done = (resting + list(actions))[-(CLIP_FRAMES - 1) :]
    return Clip(
        actions=torch.from_numpy(np.stack(done))[None],
        frames=to_float(np.stack([each.frame for each in newest]))[None],
        states=torch.from_numpy(np.stack([each.state for each in newest]))[None],
        other_views={
            name: to_float(frames)[None] for name, frames in other_views_of(newest).items()
        },
    )
