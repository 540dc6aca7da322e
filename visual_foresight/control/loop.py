"""The one closed control loop: observe, plan, act, and observe again.

Visual model-predictive control (Ebert et al. 2018, algorithm 1) carries out the first action of
each plan and plans anew. The controller sees the clip and the goal; only the judge asks the env
where things really are. The loop is a generator: the page draws each step, a benchmark exhausts it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from visual_foresight.control.judge import Judge
from visual_foresight.interfaces import Controller, Env
from visual_foresight.types import (
    Clip,
    Episode,
    Goal,
    Observation,
    Pixel,
    Plan,
    Trial,
    to_float,
)

CLIP_FRAMES = 8
"""Frames of the clip given to controllers; a predictor takes as many of the newest as it needs."""


@dataclass(frozen=True)
class Step:
    """One turn of the loop: what is seen, the plan for it, and the judge's measurement.

    The plan's first action is not carried out yet.
    """

    index: int
    """Actions carried out before this step."""
    observation: Observation
    plan: Plan | None
    """None at the end, when no action follows."""
    places: tuple[Pixel, ...]
    """See `Measurement`, as for the next two."""
    distance_m: float
    distance_px: float


def run_trial(
    env: Env,
    controller: Controller,
    goal: Goal,
    points: tuple[Any, ...],
    rng: torch.Generator,
    num_steps: int = 20,
) -> Iterator[Step]:
    """Run the loop from the env's present state, yielding `num_steps + 1` steps.

    The last step has no plan. The action of a step is carried out when the next step is asked
    for; to stop, do not ask.

    Args:
        env: as reset by the caller.
        controller: sees frames, the robot's state and the goal, nothing else.
        goal: designated pixels in the present frame and their goal pixels, or an image.
        points: the physical points behind the designated pixels (`designate`), for the judge.
        rng: the controller's source of chance.
        num_steps: how many actions.
    """
    judge = Judge.of(env, goal, points)
    action_size = len(env.workspace.step)
    observations = [env.observe()]
    actions: list[Float[np.ndarray, " a"]] = []
    previous: Plan | None = None
    for index in range(num_steps + 1):
        plan = None
        if index < num_steps:
            clip = clip_of(observations, actions, action_size)
            plan = controller.plan(clip, goal, previous, rng)
        truth = judge.measure()
        yield Step(
            index, observations[-1], plan, truth.places, truth.distance_m, truth.distance_px
        )
        if plan is not None:
            action = _first_action(plan)
            seen, *_ = env.step(action)
            actions.append(action)
            observations.append(Observation(seen["frame"], seen["state"]))
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
    places = [[(pixel.row, pixel.col) for pixel in step.places] for step in steps]
    episode = Episode(
        actions=actions.reshape(len(plans), action_size),
        frames=np.stack([step.observation.frame for step in steps]),
        states=np.stack([step.observation.state for step in steps]),
        tracks=np.array(places, np.float32).reshape(len(steps), -1, 2),
        meta=dict(meta or {}),
    )
    return Trial(
        goal=goal,
        episode=episode,
        plans=plans,
        distances_m=tuple(step.distance_m for step in steps),
        distances_px=tuple(step.distance_px for step in steps),
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
    )
