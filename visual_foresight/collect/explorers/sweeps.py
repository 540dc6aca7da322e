"""How the robot moves when it has no goal: sweeps over the table, most of them through
something that stands out.

It is random as in the papers, but rich in contact: uniform random actions hardly ever meet an
object (objects move in 9 % of the frames of such data). It sees what a real robot sees: frames,
its own state, and where its camera stands.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Float32, UInt8

from visual_foresight.types import Observation, Workspace
from visual_foresight.vision.homography import apply_homography

AIMED_SHARE = 0.8  # of the legs go through something; the others anywhere
FULL_SPEED_SHARE = 0.6  # of the legs; the others are slower
TWITCH_SHARE = 0.06  # of the actions are a stop or a small step anywhere
JITTER_M = 0.012  # by which an aim misses, so that objects are met off-centre too
BEYOND_M = (0.05, 0.15)  # how far a leg goes on behind what it aims at
NEAR_M = 0.03  # what is nearer than this is not aimed at: there is no run-up
LONGEST_LEG = 14  # steps
MIN_CHROMA = 30.0  # of 255: less is grey
MIN_CONTRAST = 35.0  # of 255, from the table's colour

FindPlaces = Callable[[Observation], Float[np.ndarray, "k 2"]]
"""Where something may be to push: (x, y) on the table, metres."""


@dataclass(frozen=True)
class _Leg:
    """A stretch of the way: where to (as the state, one number per action), how fast (largest action), how long at most."""

    goal: Float[np.ndarray, " a"]
    speed: float
    steps_left: int


class Explorer:
    """Goes from leg to leg with a wavering heading and changing speed. One explorer per
    episode: it knows its leg.

    Args:
        workspace: where the arm may go. Its first two numbers are (x, y); others (height, turn)
            are varied modestly.
        find: where there may be something to push: `colorful_places`, or the truth in
            privileged data.
    """

    def __init__(self, workspace: Workspace, find: FindPlaces) -> None:
        self._workspace = workspace
        self._find = find
        self._low, self._high, self._step = (
            np.array(limit) for limit in (workspace.low, workspace.high, workspace.step)
        )
        self._leg: _Leg | None = None
        self._waver = 0.0

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action, clipped to the workspace.

        What is stored is what is carried out.
        """
        position = observation.state[: len(self._low)].astype(np.float64)
        leg = self._leg
        if (
            leg is None
            or leg.steps_left == 0
            or np.abs((leg.goal - position) / self._step)[:2].max() < 0.3
        ):
            leg = self._next_leg(observation, position, rng)
        self._leg = _Leg(leg.goal, leg.speed, leg.steps_left - 1)
        self._waver = 0.7 * self._waver + rng.normal(0, 0.15)
        heading = (leg.goal - position) / self._step
        # height and turn
        action = np.clip(heading, -leg.speed, leg.speed) / 2 + rng.normal(0, 0.1, len(heading))
        action[:2] = _along(heading[:2], self._waver, leg.speed)
        if rng.random() < TWITCH_SHARE:
            action = rng.normal(0, 0.25, len(heading)) * rng.integers(2)
        wanted = torch.from_numpy(rearrange(action, "a -> 1 1 a"))
        kept = self._workspace.clip(torch.from_numpy(position), wanted)
        return rearrange(kept, "1 1 a -> a").numpy().astype(np.float32)

    def _next_leg(
        self,
        observation: Observation,
        position: Float[np.ndarray, " a"],
        rng: np.random.Generator,
    ) -> _Leg:
        goal = rng.uniform(self._low, self._high)
        if len(goal) > 2 and rng.random() < 0.8:
            goal[2] = self._low[2]  # mostly down at the table, where things can be pushed
        places = self._find(observation)
        places = places[np.linalg.norm(places - position[:2], axis=1) > NEAR_M]
        if len(places) and rng.random() < AIMED_SHARE:
            goal[:2] = self._through(places, position[:2], rng)
        else:
            goal[:2] = self._across(position[:2], rng)
        goal = goal.clip(self._low, self._high)
        speed = 1.0 if rng.random() < FULL_SPEED_SHARE else rng.uniform(0.3, 1)
        return _Leg(goal, float(speed), LONGEST_LEG)

    def _through(
        self,
        places: Float[np.ndarray, "k 2"],
        start: Float[np.ndarray, "2"],
        rng: np.random.Generator,
    ) -> Float[np.ndarray, "2"]:
        """Return a goal beyond one of these places, preferring those that are near and have room behind them."""
        aims = places[rng.integers(len(places), size=8)] + rng.normal(0, JITTER_M, (8, 2))
        distances = np.linalg.norm(aims - start, axis=1, keepdims=True).clip(1e-3)
        goals = aims + (aims - start) / distances * rng.uniform(*BEYOND_M, (8, 1))
        room = np.linalg.norm(goals.clip(self._low[:2], self._high[:2]) - aims, axis=1)
        return goals[np.argmax(room - 0.2 * distances[:, 0] + rng.normal(0, 0.02, 8))]

    def _across(
        self, start: Float[np.ndarray, "2"], rng: np.random.Generator
    ) -> Float[np.ndarray, "2"]:
        """Return a far goal, on the other side of the middle as a rule."""
        middle, half = (self._low + self._high)[:2] / 2, (self._high - self._low)[:2] / 2
        return middle + (middle - start) * rng.uniform(0.2, 1.2) + rng.normal(0, 0.5, 2) * half


def _along(
    heading: Float[np.ndarray, "2"], turn: float, speed: float
) -> Float[np.ndarray, "2"]:
    """Return the step in this direction, turned (radians), whose larger part is `speed`, or less when that overshoots."""
    cos, sin = np.cos(turn), np.sin(turn)
    turned = np.array(
        [cos * heading[0] - sin * heading[1], sin * heading[0] + cos * heading[1]]
    )
    size = np.abs(turned).max()
    return turned * min(1.0, speed / size) if size > 0 else turned


def colorful_places(homography: Float[np.ndarray, "3 3"]) -> FindPlaces:
    """Return a finder of what stands out by its colour: neither grey, as arms are, nor of the
    table's colour.

    Args:
        homography: `Env.homography`.
    """

    def find(observation: Observation) -> Float[np.ndarray, "k 2"]:
        rows, cols = np.nonzero(_colorful(observation.frame))
        return apply_homography(np.stack([rows, cols], 1), homography)

    return find


def _colorful(frame: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    colors = frame - frame.mean(axis=2, keepdims=True)  # without brightness
    homography = np.median(rearrange(colors, "h w c -> (h w) c"), axis=0)
    return (np.linalg.norm(colors, axis=2) > MIN_CHROMA) & (
        np.linalg.norm(colors - homography, axis=2) > MIN_CONTRAST
    )
