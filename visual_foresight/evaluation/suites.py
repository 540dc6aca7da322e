"""Seeded tasks for the control benchmark: which object's point must go where, so that a
straight push can bring it there.

A task is a function of (suite, seed, index). Its fingerprint says whether two results are about
the same task.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

import numpy as np
from jaxtyping import Float

from visual_foresight.interfaces import Env
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.types import Pixel, PixelGoal, UserError

PROTOCOL = 1
"""Changes when trials are run or judged in another way, so that older results are not mixed
with newer ones."""


MAX_SCENES = 200


MAX_DIRECTIONS = 40


MIN_VISIBLE = 5


PROBES = 32


@dataclass(frozen=True)
class Suite:
    """A kind of task. Lengths in metres."""

    name: str
    low_m: float
    """Least distance that the designated point must move."""
    high_m: float
    """Largest such distance."""
    held_out: bool = False
    """Whether the objects are of kinds that no training data shows."""
    env: str = "push"
    num_steps: int = 20
    behind_m: float = 0.06
    """Room needed behind the object for the finger, from the object's centre."""
    corridor_m: float = 0.08
    """How far other objects' centres must be from the line of the push."""


SUITES = {
    suite.name: suite
    for suite in (
        Suite("near", 0.08, 0.12),
        Suite("far", 0.15, 0.22),
        Suite("novel", 0.08, 0.12, held_out=True),
    )
}


@dataclass(frozen=True)
class Task:
    """One task of a suite: reset the env with `env_seed`, and bring what is seen at `source` to `goal_m`, seen at `target`."""

    suite: Suite
    seed: int
    index: int
    env_seed: int
    frame_size: tuple[int, int]
    source: Pixel
    target: Pixel
    goal_m: tuple[float, float]
    """(x, y) in the world, in metres."""
    distance_m: float
    """From the point's place to the goal."""

    @property
    def goal(self) -> PixelGoal:
        """Return the goal that the controller gets."""
        return PixelGoal((self.source,), (self.target,))

    @property
    def fingerprint(self) -> str:
        """Return what identifies the task and how it is run.

        Rounded, so that the last bit of a processor does not matter.
        """
        places = {
            "source": (round(self.source.row, 2), round(self.source.col, 2)),
            "target": (round(self.target.row, 2), round(self.target.col, 2)),
            "goal_m": tuple(round(value, 4) for value in self.goal_m),
            "distance_m": round(self.distance_m, 4),
        }
        return fingerprint({"protocol": PROTOCOL, **asdict(self), **places})


def begin(env: Env, task: Task) -> tuple[Any, ...]:
    """Set the scene of a task and return the designated points, for the judge."""
    env.reset(seed=task.env_seed)
    return (env.pick(task.source),)


def make_task(env: Env, suite: Suite, seed: int, index: int) -> Task:
    """Find the task of this number: scenes are drawn until one has an object that can be pushed
    straight to a goal.

    Args:
        env: of the suite's kind and objects; its frame size is the task's.
        suite: what kind of task.
        seed: 0 for the published suite.
        index: number in the suite; tasks do not depend on one another.

    Raises:
        UserError: no scene of this env has room for such a task.
    """
    rng = np.random.default_rng([seed, index, crc32(suite.name.encode())])
    for _ in range(MAX_SCENES):
        env_seed = int(rng.integers(2**31))
        env.reset(seed=env_seed)
        for source, world, center, others in _choices(env, rng):
            for _ in range(MAX_DIRECTIONS):
                angle, length = (
                    rng.uniform(-np.pi, np.pi),
                    float(rng.uniform(suite.low_m, suite.high_m)),
                )
                push = length * np.array([np.cos(angle), np.sin(angle)])
                target = env.project(world + np.array([*push, 0.0]))
                if target.inside(*env.frame_size) and _has_room(
                    env, suite, center, push, others
                ):
                    x, y = (world[:2] + push).tolist()
                    height, width = env.frame_size
                    return Task(
                        suite,
                        seed,
                        index,
                        env_seed,
                        (height, width),
                        source,
                        target,
                        (x, y),
                        length,
                    )
    raise UserError(
        f"none of {MAX_SCENES} scenes of {suite.env!r} has room for a task of suite {suite.name!r} "
        f"({suite.low_m} to {suite.high_m} m): choose shorter distances"
    )


def _choices(
    env: Env, rng: np.random.Generator
) -> list[
    tuple[Pixel, Float[np.ndarray, "3"], Float[np.ndarray, "2"], Float[np.ndarray, "m 2"]]
]:
    """Return, in random order, each visible object's designated pixel, its point, the object's and the others' centres."""
    centers = env.truth()[:, :2]
    visible = visible_pixels(env, centers)
    choices = []
    for number in rng.permutation(len(centers)):
        pixels = visible[int(number)]
        if len(pixels) >= MIN_VISIBLE:
            source = middle(pixels)
            world = env.where(env.pick(source))[1]
            choices.append((source, world, centers[number], np.delete(centers, number, axis=0)))
    return choices


def visible_pixels(env: Env, centers: Float[np.ndarray, "k 2"]) -> list[list[Pixel]]:
    """Return for each object the probed pixels at which it is seen.

    A picked point belongs to the nearest object.
    """
    height, width = env.frame_size
    stride = math.ceil(min(height, width) / PROBES)
    visible: list[list[Pixel]] = [[] for _ in centers]
    for row in range(0, height, stride):
        for col in range(0, width, stride):
            pixel = Pixel(float(row), float(col))
            point = env.pick(pixel)
            if point.kind == "object":
                away_m = np.linalg.norm(centers - env.where(point)[1][:2], axis=1)
                visible[int(away_m.argmin())].append(pixel)
    return visible


def middle(pixels: Sequence[Pixel]) -> Pixel:
    """Return the one of these pixels that is nearest to their mean."""
    mean = Pixel(
        float(np.mean([pixel.row for pixel in pixels])),
        float(np.mean([pixel.col for pixel in pixels])),
    )
    return min(pixels, key=mean.distance)


def _has_room(
    env: Env,
    suite: Suite,
    center: Float[np.ndarray, "2"],
    push: Float[np.ndarray, "2"],
    others: Float[np.ndarray, "m 2"],
) -> bool:
    """Tell whether the object's goal and the place behind it are in the workspace, and nothing stands in between."""
    low, high = (np.array(limit[:2]) for limit in (env.workspace.low, env.workspace.high))
    start, end = center - suite.behind_m * push / np.linalg.norm(push), center + push
    if not all(((low <= place) & (place <= high)).all() for place in (start, end)):
        return False
    along = np.clip((others - start) @ (end - start) / ((end - start) @ (end - start)), 0, 1)
    away_m = np.linalg.norm(start + along[:, None] * (end - start) - others, axis=1)
    return bool((away_m > suite.corridor_m).all())
