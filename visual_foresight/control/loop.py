"""The one closed control loop: see, plan, act, judge. A generator: the GUI draws each step, a
benchmark exhausts it.

The controller sees the clip and the goal; only the judge asks the env where things really are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from visual_foresight.control.judge import on_height
from visual_foresight.interfaces import Controller, Env
from visual_foresight.types import (
    Clip,
    Episode,
    Goal,
    Observation,
    Pixel,
    PixelGoal,
    Plan,
    Trial,
    to_float,
)

CLIP_FRAMES = 8
"""Frames of the clip given to controllers, the newest last: enough context for any predictor,
which takes what it wants."""


@dataclass(frozen=True)
class Step:
    """One turn of the loop: what is seen, what was chosen for it, and the judge's truth.

    The action is not carried out yet.
    """

    index: int
    """Actions carried out before this step."""
    observation: Observation
    plan: Plan | None
    """None at the end, when no action follows."""
    places: tuple[Pixel, ...]
    """Where the designated points really are in the frame, also when hidden."""
    distance_m: float
    """True horizontal distance to its goal of the designated point that is farthest from its
    own; 0 when there are none."""
    distance_px: float
    """The same in the frame."""


def run_trial(
    env: Env,
    controller: Controller,
    goal: Goal,
    points: tuple[Any, ...],
    rng: torch.Generator,
    num_steps: int = 20,
) -> Iterator[Step]:
    """Run the control loop from the env's present state, yielding `num_steps + 1` steps; the
    last one has no plan.

    The action of a step's plan is carried out when the next step is asked for; to stop, do not ask.

    Args:
        env: as reset by the caller.
        controller: sees frames, the robot's state and the goal, nothing else.
        goal: designated pixels in the present frame, and where they ought to go; or an image.
        points: the physical points behind the designated pixels (`designate`), for the judge.
        rng: the controller's chance.
        num_steps: how many actions.
    """
    targets = goal.targets if isinstance(goal, PixelGoal) else ()
    if len(points) != len(targets):
        raise ValueError(
            f"one point per designated pixel: {len(points)} points, {len(targets)} pixels"
        )
    goals_m = tuple(
        on_height(env.project, target, env.where(point)[1])
        for point, target in zip(points, targets, strict=True)
    )
    seen, actions = [env.observe()], list[Float[np.ndarray, " a"]]()
    previous: Plan | None = None
    for index in range(num_steps + 1):
        plan = None
        if index < num_steps:
            plan = controller.plan(
                clip_of(seen, actions, len(env.workspace.step)), goal, previous, rng
            )
        places = tuple(env.where(point) for point in points)
        gaps_m = [
            np.hypot(*(world[:2] - goal_m))
            for (_, world), goal_m in zip(places, goals_m, strict=True)
        ]
        gaps_px = [
            pixel.distance(target) for (pixel, _), target in zip(places, targets, strict=True)
        ]
        pixels = tuple(pixel for pixel, _ in places)
        yield Step(
            index,
            seen[-1],
            plan,
            pixels,
            float(max(gaps_m, default=0)),
            float(max(gaps_px, default=0)),
        )
        if plan is not None:
            actions.append(_first_action(plan))
            result = env.step(actions[-1])[0]
            seen.append(Observation(result["frame"], result["state"]))
            previous = plan


def finish(goal: Goal, steps: Sequence[Step], meta: Mapping[str, Any] | None = None) -> Trial:
    """Make a trial of the steps of a loop, also of one that was stopped: the plan of its last
    step was not carried out.

    Args:
        goal: what the loop was run with.
        steps: in order, one or more.
        meta: plain JSON values for the episode.
    """
    plans = tuple(step.plan for step in steps[:-1] if step.plan is not None)
    size = len(plans[0].actions[0]) if plans else 0
    episode = Episode(
        actions=np.array([_first_action(plan) for plan in plans], np.float32).reshape(
            len(plans), size
        ),
        frames=np.stack([step.observation.frame for step in steps]),
        states=np.stack([step.observation.state for step in steps]),
        tracks=np.array(
            [[(pixel.row, pixel.col) for pixel in step.places] for step in steps], np.float32
        ).reshape(len(steps), -1, 2),
        meta=dict(meta or {}),
    )
    distances_m, distances_px = zip(
        *((step.distance_m, step.distance_px) for step in steps), strict=True
    )
    return Trial(goal, episode, plans, distances_m, distances_px)


def _first_action(plan: Plan) -> Float[np.ndarray, " a"]:
    return plan.actions[0].detach().cpu().numpy().astype(np.float32)


def clip_of(
    seen: Sequence[Observation], actions: Sequence[Float[np.ndarray, " a"]], action_size: int
) -> Clip:
    """Return the newest `CLIP_FRAMES` frames.

    Before the first one, the world is taken to have stood still.
    """
    newest = list(seen[-CLIP_FRAMES:])
    padding = CLIP_FRAMES - len(newest)
    newest = [newest[0]] * padding + newest
    done = [np.zeros(action_size, np.float32)] * padding + list(actions[-(CLIP_FRAMES - 1) :])
    return Clip(
        actions=torch.from_numpy(np.stack(done[-(CLIP_FRAMES - 1) :]))[None],
        frames=to_float(np.stack([observation.frame for observation in newest]))[None],
        states=torch.from_numpy(np.stack([observation.state for observation in newest]))[None],
    )
