"""The one closed control loop: see, plan, act, judge. A generator: the GUI draws each step, a benchmark exhausts it.

The controller sees the clip and the goal; only the judge asks the env where things really are.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from visual_foresight.interfaces import Controller, Env
from visual_foresight.types import Clip, Episode, Goal, Observation, Pixel, PixelGoal, Plan, Trial, UserError, to_float

SUCCESS_M = 0.05
"""A trial that ends within this distance of its goal has reached it."""
CLIP_FRAMES = 8
"""Frames of the clip given to controllers, the newest last: enough context for any predictor, which takes what it wants."""


@dataclass(frozen=True)
class Step:
    """One turn of the loop: what is seen, what was chosen for it, and the judge's truth. The action is not carried out yet."""

    index: int
    """Actions carried out before this step."""
    observation: Observation
    plan: Plan | None
    """None at the end, when no action follows."""
    places: tuple[Pixel, ...]
    """Where the designated points really are in the frame, also when hidden."""
    distance_m: float
    """True horizontal distance to its goal of the designated point that is farthest from its own; 0 when there are none."""
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
    """Run the control loop from the env's present state, yielding `num_steps + 1` steps; the last one has no plan.

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
        raise ValueError(f"one point per designated pixel: {len(points)} points, {len(targets)} pixels")
    goals_m = tuple(
        on_height(env.project, target, env.where(point)[1]) for point, target in zip(points, targets, strict=True)
    )
    seen, actions = [env.observe()], list[Float[np.ndarray, " a"]]()
    previous: Plan | None = None
    for index in range(num_steps + 1):
        plan = None
        if index < num_steps:
            plan = controller.plan(clip_of(seen, actions, len(env.workspace.step)), goal, previous, rng)
        places = tuple(env.where(point) for point in points)
        gaps_m = [np.hypot(*(world[:2] - goal_m)) for (_, world), goal_m in zip(places, goals_m, strict=True)]
        gaps_px = [pixel.distance(target) for (pixel, _), target in zip(places, targets, strict=True)]
        pixels = tuple(pixel for pixel, _ in places)
        yield Step(index, seen[-1], plan, pixels, float(max(gaps_m, default=0)), float(max(gaps_px, default=0)))
        if plan is not None:
            actions.append(_first_action(plan))
            result = env.step(actions[-1])[0]
            seen.append(Observation(result["frame"], result["state"]))
            previous = plan


def designate(env: Env, goal: PixelGoal) -> tuple[Any, ...]:
    """Return the points behind designated pixels that somebody chose, for the judge. All pixels must make sense.

    Args:
        env: what is to be moved must be an object there; what is to keep still (its goal is where it is) may be anything.
        goal: places in the present frame.

    Raises:
        UserError: a pixel is outside the frame, or does not show an object.
    """
    height, width = env.frame_size
    points = []
    for source, target in zip(goal.sources, goal.targets, strict=True):
        for what, pixel in (("designated", source), ("goal", target)):
            if not pixel.inside(height, width):
                raise UserError(
                    f"the {what} pixel (row {pixel.row:g}, col {pixel.col:g}) is outside the frame of {height} rows and "
                    f"{width} columns: choose one inside it"
                )
        points.append(env.pick(source))
        if points[-1].kind != "object" and source != target:
            raise UserError(
                f"the designated pixel (row {source.row:g}, col {source.col:g}) does not show an object but the "
                f"{points[-1].kind}: choose one on an object"
            )
    return tuple(points)


def finish(goal: Goal, steps: Sequence[Step], meta: Mapping[str, Any] | None = None) -> Trial:
    """Make a trial of the steps of a loop, also of one that was stopped: the plan of its last step was not carried out.

    Args:
        goal: what the loop was run with.
        steps: in order, one or more.
        meta: plain JSON values for the episode.
    """
    plans = tuple(step.plan for step in steps[:-1] if step.plan is not None)
    size = len(plans[0].actions[0]) if plans else 0
    episode = Episode(
        actions=np.array([_first_action(plan) for plan in plans], np.float32).reshape(len(plans), size),
        frames=np.stack([step.observation.frame for step in steps]),
        states=np.stack([step.observation.state for step in steps]),
        tracks=np.array([[(pixel.row, pixel.col) for pixel in step.places] for step in steps], np.float32).reshape(
            len(steps), -1, 2
        ),
        meta=dict(meta or {}),
    )
    distances_m, distances_px = zip(*((step.distance_m, step.distance_px) for step in steps), strict=True)
    return Trial(goal, episode, plans, distances_m, distances_px)


def on_height(
    project: Callable[[Float[np.ndarray, "3"]], Pixel], pixel: Pixel, like_m: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "2"]:
    """Return the place (x, y) in metres that is seen at a pixel, at the height of a known place (Newton's method).

    A thing that is pushed keeps its height, so this is where its point must go to be seen at the pixel.

    Args:
        project: where a world point (metres) is seen.
        pixel: where to look.
        like_m: a place at the height wanted, and the start of the search.

    Raises:
        UserError: no place at that height is seen there.
    """

    def seen(place: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
        spot = project(np.array([*place, like_m[2]]))
        return np.array([spot.row, spot.col])

    wanted, place, nudge = np.array([pixel.row, pixel.col]), np.array(like_m[:2]), 1e-4 * np.eye(2)
    for _ in range(20):
        missing = wanted - seen(place)
        if np.abs(missing).max() < 1e-6:
            return place
        slope = np.stack([(seen(place + nudge[axis]) - seen(place)) / 1e-4 for axis in (0, 1)], axis=1)
        place = place + np.linalg.solve(slope, missing)
    if np.abs(wanted - seen(place)).max() > 1e-3:
        raise UserError(
            f"the goal pixel (row {pixel.row:g}, col {pixel.col:g}) shows no place at the height: choose another"
        )
    return place


def _first_action(plan: Plan) -> Float[np.ndarray, " a"]:
    return plan.actions[0].detach().cpu().numpy().astype(np.float32)


def clip_of(seen: Sequence[Observation], actions: Sequence[Float[np.ndarray, " a"]], action_size: int) -> Clip:
    """Return the newest `CLIP_FRAMES` frames; before the first one, the world is taken to have stood still."""
    newest = list(seen[-CLIP_FRAMES:])
    padding = CLIP_FRAMES - len(newest)
    newest = [newest[0]] * padding + newest
    done = [np.zeros(action_size, np.float32)] * padding + list(actions[-(CLIP_FRAMES - 1) :])
    return Clip(
        actions=torch.from_numpy(np.stack(done[-(CLIP_FRAMES - 1) :]))[None],
        frames=to_float(np.stack([observation.frame for observation in newest]))[None],
        states=torch.from_numpy(np.stack([observation.state for observation in newest]))[None],
    )
