"""An explorer that sweeps over the table, mostly through something that may be an object.

It is random as in the papers, but rich in contact: in data of uniform random actions, an object
moves in 9 % of the frames only. It needs what a real robot has: frames, its own state, and the
camera's calibration.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float, Float32

from visual_foresight.collect.targets import FindTargets
from visual_foresight.env_info import EnvInfo
from visual_foresight.types import Observation, UserError, Workspace

AIMED_SHARE = 0.8  # of the strokes lead through a target, the others anywhere
FULL_SPEED_SHARE = 0.6  # of the strokes are at full speed, the others slower
PAUSE_SHARE = 0.06  # of the actions are a stop or a small random step
LOWERED_SHARE = 0.8  # of the strokes are at the lowest height, where objects can be pushed
MAX_STROKE = 14  # steps
REACHED_STEPS = 0.3  # a waypoint that is nearer than this in both axes has been reached
MIN_DISTANCE_M = 0.03  # a nearer target is ignored: there is no room to gain speed
AIM_NOISE_M = 0.012  # standard deviation: objects are hit off-centre, too
OVERSHOOT_M = (0.05, 0.15)  # how far behind its target a stroke ends
NUM_AIMS = 8  # targets that are compared for a stroke


@dataclass(frozen=True)
class _Stroke:
    """A straight stretch of the way."""

    waypoint: Float[np.ndarray, " a"]
    """Where it ends, as a state."""
    speed: float
    """The larger part of an action (dx, dy)."""
    steps_left: int
    """It ends after so many steps, even if the waypoint is not reached."""


class SweepingExplorer:
    """Moves from waypoint to waypoint, with random deviations in heading and speed.

    Args:
        workspace: where the fingertip may go. Its first two numbers are (x, y); the others, height
            and yaw, vary less.
        find_targets: finds what a stroke may lead through.
    """

    def __init__(self, workspace: Workspace, find_targets: FindTargets) -> None:
        self._workspace = workspace
        self._find_targets = find_targets
        self._low = np.array(workspace.low)
        self._high = np.array(workspace.high)
        self._step = np.array(workspace.step)
        self._stroke: _Stroke | None = None
        self._deviation = 0.0  # of the heading, radians

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action, clipped to the workspace: see `registry.Explorer.act`."""
        position = observation.state[: len(self._low)].astype(np.float64)
        stroke = self._stroke
        if stroke is None or self._has_ended(stroke, position):
            stroke = self._next_stroke(observation, position, rng)
        self._stroke = _Stroke(stroke.waypoint, stroke.speed, stroke.steps_left - 1)
        self._deviation = 0.7 * self._deviation + rng.normal(0, 0.15)
        ahead = (stroke.waypoint - position) / self._step
        # Height and yaw; (dx, dy) are replaced in the next line.
        action = np.clip(ahead, -stroke.speed, stroke.speed) / 2 + rng.normal(
            0, 0.1, len(ahead)
        )
        action[:2] = _deviating_step(ahead[:2], self._deviation, stroke.speed)
        if rng.random() < PAUSE_SHARE:
            action = rng.normal(0, 0.25, len(ahead)) * rng.integers(2)
        wanted = torch.from_numpy(rearrange(action, "a -> 1 1 a"))
        feasible = self._workspace.clip(torch.from_numpy(position), wanted)
        return rearrange(feasible, "1 1 a -> a").numpy().astype(np.float32)

    def _has_ended(self, stroke: _Stroke, position: Float[np.ndarray, " a"]) -> bool:
        steps_away = np.abs((stroke.waypoint - position) / self._step)[:2].max()
        return bool(stroke.steps_left == 0 or steps_away < REACHED_STEPS)

    def _next_stroke(
        self,
        observation: Observation,
        position: Float[np.ndarray, " a"],
        rng: np.random.Generator,
    ) -> _Stroke:
        waypoint = rng.uniform(self._low, self._high)
        if len(waypoint) > 2 and rng.random() < LOWERED_SHARE:
            waypoint[2] = self._low[2]
        targets = self._find_targets(observation)
        targets = targets[np.linalg.norm(targets - position[:2], axis=1) > MIN_DISTANCE_M]
        if len(targets) and rng.random() < AIMED_SHARE:
            waypoint[:2] = self._behind_target(targets, position[:2], rng)
        else:
            waypoint[:2] = self._across_table(position[:2], rng)
        waypoint = waypoint.clip(self._low, self._high)
        speed = 1.0 if rng.random() < FULL_SPEED_SHARE else rng.uniform(0.3, 1)
        return _Stroke(waypoint, float(speed), MAX_STROKE)

    def _behind_target(
        self,
        targets: Float[np.ndarray, "k 2"],
        start: Float[np.ndarray, "2"],
        rng: np.random.Generator,
    ) -> Float[np.ndarray, "2"]:
        """Return a waypoint behind a target, preferably a near one with room behind it."""
        chosen = targets[rng.integers(len(targets), size=NUM_AIMS)]
        aims = chosen + rng.normal(0, AIM_NOISE_M, (NUM_AIMS, 2))
        distances = np.linalg.norm(aims - start, axis=1, keepdims=True).clip(1e-3)
        directions = (aims - start) / distances
        ends = aims + directions * rng.uniform(*OVERSHOOT_M, (NUM_AIMS, 1))
        room = np.linalg.norm(ends.clip(self._low[:2], self._high[:2]) - aims, axis=1)
        preference = room - 0.2 * distances[:, 0] + rng.normal(0, 0.02, NUM_AIMS)
        return ends[np.argmax(preference)]

    def _across_table(
        self, start: Float[np.ndarray, "2"], rng: np.random.Generator
    ) -> Float[np.ndarray, "2"]:
        """Return a waypoint that is mostly on the other side of the workspace's centre."""
        center = (self._low + self._high)[:2] / 2
        half = (self._high - self._low)[:2] / 2
        across = center + (center - start) * rng.uniform(0.2, 1.2)
        return across + rng.normal(0, 0.5, 2) * half


def _deviating_step(
    direction: Float[np.ndarray, "2"], deviation: float, speed: float
) -> Float[np.ndarray, "2"]:
    """Return an action (dx, dy) in a direction that is turned by `deviation` (radians).

    Its larger part is `speed`, or less where that would lead beyond the waypoint.
    """
    cos, sin = np.cos(deviation), np.sin(deviation)
    dx, dy = direction
    turned = np.array([cos * dx - sin * dy, sin * dx + cos * dy])
    size = np.abs(turned).max()
    return turned * min(1.0, speed / size) if size > 0 else turned


def build(info: EnvInfo, find_targets: FindTargets | None) -> SweepingExplorer:
    """Return the explorer of an env (see `registry.EXPLORERS`)."""
    user = "the explorer 'sweeps' ('smooth' does without)"
    if find_targets is None:
        info.view.calibration(user)
        raise UserError(f"{user}: this needs something that finds targets to push")
    return SweepingExplorer(info.require_workspace(user), find_targets)
