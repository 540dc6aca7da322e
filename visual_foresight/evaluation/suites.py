"""Seeded tasks of the control benchmark: push a point of an object to a goal.

A straight push can do each of them. A task is a function of (suite, seed, index) and of what the
camera sees; its fingerprint tells whether two results are about the same task.
"""

import math
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from jaxtyping import Float

from visual_foresight.control.trial import Trial
from visual_foresight.control.world import PUBLISHED
from visual_foresight.evaluation.kept import kept
from visual_foresight.evaluation.visible_pixels import middle, visible_pixels
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Env, JudgedEnv, require_judge
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.types import Pixel, UserError

PROTOCOL = 1
"""Version of how trials are run and measured; raise it with every change, so that older results
are not mixed with newer ones."""
MAX_SCENES = 200
"""Scenes that are drawn before a suite is called impossible."""
MAX_DIRECTIONS = 40
"""Pushes that are drawn for one object of a scene before the next object is tried."""
MIN_VISIBLE = 5
"""An object can be designated when it is seen at this many probed pixels."""
SAME_M = 0.005
"""A point that is picked again in another frame is the same when it is this near."""
NEIGHBOURS_PX = (0.0, -0.25, 0.25, -0.5, 0.5)
"""How far from its place, in rows and columns, a point is looked for in another frame."""


@dataclass(frozen=True)
class Suite:
    """A kind of task. Lengths in metres. All fields are part of a task's fingerprint."""

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
    """Room that the finger needs behind the object, measured from the object's centre."""
    corridor_m: float = 0.08
    """Least distance of other objects' centres from the line of the push."""

    def task(self, env: Env, seed: int, index: int) -> "Task":
        """Return a task: see `find_task`."""
        return find_task(env, self, seed, index)


SUITES = {
    suite.name: suite
    for suite in (
        Suite("near", 0.08, 0.12),
        Suite("far", 0.15, 0.22),
        Suite("novel", 0.08, 0.12, held_out=True),
        Suite("pusht-near", 0.08, 0.12, env="pusht", behind_m=0.1),
        Suite("pusht-far", 0.15, 0.22, env="pusht", behind_m=0.1),
    )
}


@dataclass(frozen=True)
class Task:
    """One task: reset the env with `env_seed`, then bring the point seen at `source` to `goal_m`.

    All fields are part of the fingerprint.
    """

    suite: Suite
    seed: int
    index: int
    env_seed: int
    frame_size: tuple[int, int]
    source: Pixel
    """Where the designated point is seen at first."""
    target: Pixel
    """Where it is seen when it is at `goal_m`."""
    goal_m: tuple[float, float]
    """(x, y) in the world, in metres."""
    distance_m: float
    """From the point's first place to the goal."""

    @property
    def goal(self) -> PixelGoal:
        """Return the goal that the controller gets."""
        return PixelGoal((self.source,), (self.target,))

    @property
    def fingerprint(self) -> str:
        """Return what identifies the task and how it is run.

        Lengths are rounded, so that the last bit of a processor does not matter.
        """
        places = {
            "source": (round(self.source.row, 2), round(self.source.col, 2)),
            "target": (round(self.target.row, 2), round(self.target.col, 2)),
            "goal_m": tuple(round(value, 4) for value in self.goal_m),
            "distance_m": round(self.distance_m, 4),
        }
        return fingerprint({"protocol": PROTOCOL, **asdict(self), **places})

    def begin(self, env: Env) -> tuple[Any, ...]:
        """Set the scene and return the designated points, for the judge."""
        return begin(env, self)

    def notes(self, trial: Trial) -> dict[str, Any]:
        """Return nothing: distances say all."""
        return {}


class _Candidate(NamedTuple):
    """A visible object whose point may be pushed."""

    pixel: Pixel
    """The designated pixel."""
    point: Float[np.ndarray, "3"]
    """What is seen there, in the world, in metres."""
    center: Float[np.ndarray, "2"]
    """The object's centre."""
    others: Float[np.ndarray, "m 2"]
    """The other objects' centres."""


class _Push(NamedTuple):
    """A straight push of an object."""

    displacement: Float[np.ndarray, "2"]
    """(x, y), in metres."""
    length_m: float
    target: Pixel
    """Where the designated point is seen after it."""


def begin(env: Env, task: Task) -> tuple[Any, ...]:
    """Set the scene of a task and return the designated points, for the judge."""
    judged = require_judge(env, "the tasks of the suites")
    judged.reset(seed=task.env_seed)
    return (judged.pick(task.source),)


def make_task(env: Env, suite: Suite, seed: int, index: int) -> Task:
    """Return a task: draw scenes until one has an object that can be pushed straight to a goal.

    Args:
        env: of the suite's kind and objects; its frame size is the task's.
        suite: what kind of task.
        seed: 0 for the published suite.
        index: number in the suite; tasks do not depend on one another.

    Raises:
        UserError: no scene of this env has room for such a task, or the env has no judge or no
            workspace.
    """
    judged = require_judge(env, "the tasks of the suites")
    rng = np.random.default_rng([seed, index, crc32(suite.name.encode())])
    height, width = env.info.frame_size
    for _ in range(MAX_SCENES):
        env_seed = int(rng.integers(2**31))
        env.reset(seed=env_seed)
        for candidate in _candidates(judged, rng):
            push = _find_push(judged, suite, candidate, rng)
            if push is not None:
                x, y = (candidate.point[:2] + push.displacement).tolist()
                return Task(
                    suite=suite,
                    seed=seed,
                    index=index,
                    env_seed=env_seed,
                    frame_size=(height, width),
                    source=candidate.pixel,
                    target=push.target,
                    goal_m=(x, y),
                    distance_m=push.length_m,
                )
    raise UserError(
        f"none of {MAX_SCENES} scenes of {suite.env!r} has room for a task of suite "
        f"{suite.name!r} ({suite.low_m} to {suite.high_m} m): choose shorter distances"
    )


def find_task(env: Env, suite: Suite, seed: int, index: int) -> Task:
    """Return a task of a suite, the same one for every frame size where that is possible.

    It is drawn in the frames of the published suites. An env of other frames gets the same scene,
    the same point and the same goal, as its own camera sees them. If it has another scene at that
    seed, or does not see them, the task is drawn in its own frames; so it is from another camera
    whose frames have the published size.

    Args:
        env: of the suite's kind and objects; its past does not matter.
        suite: what kind of task.
        seed: see `make_task`.
        index: see `make_task`.

    Raises:
        UserError: see `make_task`.
    """
    published = PUBLISHED
    if env.info.frame_size == published.frame_size:
        return make_task(env, suite, seed, index)
    (known,) = _published_env(suite.env, suite.held_out)
    drawn_in = require_judge(known, "the tasks of the suites")
    if drawn_in.info.frame_size == published.frame_size:
        task = _seen_in(env, drawn_in, make_task(drawn_in, suite, seed, index))
        if task is not None:
            return task
    return make_task(env, suite, seed, index)


@kept(2)
def _published_env(name: str, held_out: bool) -> tuple[Env]:
    """Return an env in which tasks are drawn; a process keeps it."""
    return (PUBLISHED.make(name, held_out),)


def _seen_in(env: Env, drawn_in: JudgedEnv, task: Task) -> Task | None:
    """Return a task as the camera of another env sees it; None if it does not."""
    judged = require_judge(env, "the tasks of the suites")
    (drawn,) = begin(drawn_in, task)
    point = drawn_in.where(drawn)[1]
    judged.reset(seed=task.env_seed)
    poses = judged.truth()
    theirs = drawn_in.truth()
    if poses.shape != theirs.shape or not np.allclose(poses, theirs, atol=1e-6):
        return None
    size = judged.info.frame_size
    target = judged.project(np.array([*task.goal_m, point[2]]))
    source = _pixel_that_shows(judged, point)
    if source is None or not target.inside(*size):
        return None
    return replace(task, frame_size=size, source=source, target=target)


def _pixel_that_shows(env: JudgedEnv, point: Float[np.ndarray, "3"]) -> Pixel | None:
    """Return a pixel at which a point (world, metres) is picked, up to `SAME_M`, if there is one.

    Beside the arm, rounding decides which of the two is picked: then a neighbour will do.
    """
    place = env.project(point)
    neighbours = product(NEIGHBOURS_PX, repeat=2)
    for row, col in sorted(neighbours, key=lambda away: math.hypot(*away)):
        pixel = Pixel(place.row + row, place.col + col)
        if pixel.inside(*env.info.frame_size):
            picked = env.pick(pixel)
            away_m = np.linalg.norm(env.where(picked)[1] - point)
            if picked.kind == "object" and away_m <= SAME_M:
                return pixel
    return None


def _candidates(env: JudgedEnv, rng: np.random.Generator) -> list[_Candidate]:
    """Return the objects that are seen well enough, in random order."""
    centers = env.truth()[:, :2]
    visible = visible_pixels(env, centers)
    found = []
    for number in rng.permutation(len(centers)):
        pixels = visible[int(number)]
        if len(pixels) >= MIN_VISIBLE:
            pixel = middle(pixels)
            point = env.where(env.pick(pixel))[1]
            others = np.delete(centers, number, axis=0)
            found.append(_Candidate(pixel, point, centers[number], others))
    return found


def _find_push(
    env: JudgedEnv, suite: Suite, candidate: _Candidate, rng: np.random.Generator
) -> _Push | None:
    """Draw pushes of an object until one has room; None after `MAX_DIRECTIONS`."""
    for _ in range(MAX_DIRECTIONS):
        angle = rng.uniform(-np.pi, np.pi)
        length_m = float(rng.uniform(suite.low_m, suite.high_m))
        displacement = length_m * np.array([np.cos(angle), np.sin(angle)])
        target = env.project(candidate.point + np.array([*displacement, 0.0]))
        if target.inside(*env.info.frame_size) and _has_room(
            env, suite, candidate, displacement
        ):
            return _Push(displacement, length_m, target)
    return None


def _has_room(
    env: JudgedEnv, suite: Suite, candidate: _Candidate, displacement: Float[np.ndarray, "2"]
) -> bool:
    """Tell whether the push stays in the workspace, and other objects out of its way.

    It starts behind the object, where the finger goes first, and ends at the object's goal.
    """
    behind = suite.behind_m * displacement / np.linalg.norm(displacement)
    start = candidate.center - behind
    end = candidate.center + displacement
    workspace = env.info.require_workspace("the tasks of the suites")
    low = np.array(workspace.low[:2])
    high = np.array(workspace.high[:2])
    if not all(((low <= place) & (place <= high)).all() for place in (start, end)):
        return False
    way = end - start
    along = np.clip((candidate.others - start) @ way / (way @ way), 0, 1)
    nearest = start + along[:, None] * way
    away_m = np.linalg.norm(nearest - candidate.others, axis=1)
    return bool((away_m > suite.corridor_m).all())
