"""The nouns of the house: what the rooms hand to one another.

Everything here is frozen and checks itself on construction; nothing here knows a simulator, a
network or a screen. Axis letters: `b` batch, `n` candidates, `t` time, `c h w` image, `a`
action, `s` robot state, `p` designated pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor


class UserError(Exception):
    """Bad input, in one clear sentence; the command line prints it and exits with code 2."""


@dataclass(frozen=True)
class Observation:
    """What the robot perceives at one instant.

    A camera frame, and its own measured state (SI units).
    """

    frame: UInt8[np.ndarray, "h w 3"]
    state: Float32[np.ndarray, " s"]


@dataclass(frozen=True)
class Episode:
    """A recorded run: t actions join t+1 frames and states; action t takes frame t to frame t+1."""

    actions: Float32[np.ndarray, "t a"]
    frames: UInt8[np.ndarray, "t_plus_1 h w 3"]
    states: Float32[np.ndarray, "t_plus_1 s"]
    tracks: Float32[np.ndarray, "t_plus_1 p 2"]
    """True (row, col) of p physical points over time, seen in the first frame. For judges only;
    p = 0 where unknown."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values: seed, index, and for each track its kind: "object", "arm" or
    "background"."""

    def __post_init__(self) -> None:
        counts = (len(self.actions) + 1, len(self.frames), len(self.states), len(self.tracks))
        if len(set(counts)) != 1:
            raise ValueError(
                f"t actions join t+1 frames, states and tracks, got {counts[0] - 1} and {counts[1:]}"
            )


@dataclass(frozen=True)
class Clip:
    """A slice of experience to learn from or to plan from, batched, as tensors.

    Frames are in [0, 1].
    """

    actions: Float[Tensor, "b t a"]
    frames: Float[Tensor, "b t_plus_1 c h w"]
    states: Float[Tensor, "b t_plus_1 s"]

    def __post_init__(self) -> None:
        counts = (self.actions.shape[1] + 1, self.frames.shape[1], self.states.shape[1])
        if len(set(counts)) != 1:
            raise ValueError(
                f"t actions join t+1 frames and states, got {counts[0] - 1}, {counts[1]} and {counts[2]}"
            )

    def to(self, device: torch.device | str) -> "Clip":
        """Return the same clip on another device."""
        return Clip(self.actions.to(device), self.frames.to(device), self.states.to(device))


@dataclass(frozen=True)
class Pixel:
    """A place in a frame, in pixels.

    Origin at the top left, the centre of the first pixel at (0, 0).
    """

    row: float
    col: float

    def distance(self, other: "Pixel") -> float:
        """Return the Euclidean distance to another pixel, in pixels."""
        return float(np.hypot(self.row - other.row, self.col - other.col))

    def inside(self, height: int, width: int) -> bool:
        """Tell whether the place lies in a frame of this size."""
        return -0.5 <= self.row < height - 0.5 and -0.5 <= self.col < width - 0.5


@dataclass(frozen=True)
class PixelGoal:
    """Move what is now seen at each source (the designated pixels) to the target of the same position (the goal pixels)."""

    sources: tuple[Pixel, ...]
    targets: tuple[Pixel, ...]

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets) or not self.sources:
            raise ValueError(
                f"one goal pixel per designated pixel: {len(self.sources)} sources, {len(self.targets)} targets"
            )


@dataclass(frozen=True)
class ImageGoal:
    """Make the camera see this frame."""

    frame: UInt8[np.ndarray, "h w 3"]


Goal = PixelGoal | ImageGoal


@dataclass(frozen=True)
class Workspace:
    """Where the arm may go, and what an action means: one unit of action i moves `state[i]` by
    `step[i]`, kept in [low, high].

    An env applies it; a planner applies the same clip to its candidates *before* it imagines them.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    step: tuple[float, ...]

    def clip(
        self, state: Float[Tensor, " s"], actions: Float[Tensor, "n t a"]
    ) -> Float[Tensor, "n t a"]:
        """Return the actions that are really carried out from this state.

        In [-1, 1] and inside the limits at every step.
        """
        size = actions.shape[-1]
        low, high, step = (
            actions.new_tensor(limit) for limit in (self.low, self.high, self.step)
        )
        position = torch.minimum(torch.maximum(state[:size].to(actions), low), high)
        kept = []
        for action in actions.clamp(-1, 1).unbind(1):
            reached = torch.minimum(torch.maximum(position + action * step, low), high)
            kept.append((reached - position) / step)
            position = reached
        return torch.stack(kept, dim=1) if kept else actions


@dataclass(frozen=True)
class Prediction:
    """What a predictor imagines for n candidates.

    `frames` has f = t imagined frames in [0, 1] when they were asked for, and f = 0 otherwise
    (h and w are the frame's size all the same). `pixel_maps` say where each designated pixel is
    after each action, as distributions (each sums to 1) on a grid that may be coarser than the
    frame and covers it exactly. `lost` is the mass that the motion lost (or, negative, made)
    before a map was normalised. `carry` is the predictor's memory after the last action:
    imagine further from it. `members` are what each of several models, or several samples of
    one, imagine for the same candidates; where there are any, frames and maps are their
    average.
    """

    frames: Float[Tensor, "n f c h w"]
    pixel_maps: Float[Tensor, "n t p map_h map_w"]
    lost: Float[Tensor, "n t p"]
    carry: Any
    members: tuple["Prediction", ...] = ()

    def to(self, device: torch.device | str) -> "Prediction":
        """Return the same prediction on another device; its carry stays where it is."""
        return Prediction(
            self.frames.to(device),
            self.pixel_maps.to(device),
            self.lost.to(device),
            self.carry,
            tuple(member.to(device) for member in self.members),
        )

    @staticmethod
    def average(members: "Sequence[Prediction]") -> "Prediction":
        """Return the average of several predictions of the same candidates; its carry is the
        tuple of theirs.

        Who imagines further gives one set of pixel maps, the average, to all members, so that
        where their maps differed is forgotten; their memories and frames go on as they were.
        """
        return Prediction(
            frames=torch.stack([member.frames for member in members]).mean(0),
            pixel_maps=torch.stack([member.pixel_maps for member in members]).mean(0),
            lost=torch.stack([member.lost for member in members]).mean(0),
            carry=tuple(member.carry for member in members),
            members=tuple(members),
        )


@dataclass(frozen=True)
class Plan:
    """What a controller chose, and why.

    The best actions found, what they are imagined to do, the costs of all candidates.
    """

    actions: Float[Tensor, "t a"]
    sources: tuple[Pixel, ...]
    """Where the designated pixels were believed to be in the newest frame (empty when the goal
    is an image)."""
    prediction: Prediction
    """The imagination of `actions`, and after it those of the runners-up: n = 1 + m."""
    costs: tuple[Float[Tensor, " _"], ...]
    """Costs of the candidates, one tensor per planner iteration (their number differs)."""
    seconds: float
    """Wall-clock time that the planning took."""
    reference: Float[Tensor, "c h w"]
    """The frame in which the goal's designated pixels were designated; it travels from plan to
    plan."""
    runners_up: Float[Tensor, "m _t _a"] = field(default_factory=lambda: torch.zeros(0, 0, 0))
    """The best other candidates of the last iteration, best first, where they were asked for."""


@dataclass(frozen=True)
class Trial:
    """One closed-loop run with a goal, judged by the simulator's truth."""

    goal: Goal
    episode: Episode
    plans: tuple[Plan, ...]
    distances_m: tuple[float, ...]
    """True distance of the designated point to its goal on the table, before the first and
    after each step: of several, that of the one farthest from its goal; 0 when nothing is
    designated, because the goal is an image."""
    distances_px: tuple[float, ...]
    """The same in the frame."""

    def success(self, radius_m: float) -> bool:
        """Tell whether every designated point ended within this distance of its goal."""
        return self.distances_m[-1] <= radius_m


def to_float(frames: UInt8[np.ndarray, "*batch h w c"]) -> Float[Tensor, "*batch c h w"]:
    """Turn frames as stored (uint8, channels last) into frames as networks see them (float in [0, 1], channels first)."""
    # In NumPy: batches are made in a thread beside training, and a second pool of OpenMP
    # threads slows both by half.
    return torch.from_numpy(np.moveaxis(frames, -1, -3).astype(np.float32) / np.float32(255))


def to_uint8(frames: Float[Tensor, "*batch c h w"]) -> UInt8[np.ndarray, "*batch h w c"]:
    """Turn frames as networks see them into frames as stored; values outside [0, 1] are clamped.

    NumPy does it, not torch: two threads that compute with torch, the page's and a search's,
    have twice as many helpers as cores, which then wait asleep for one another, and a search
    takes a fifth longer.
    """
    pixels = frames.detach().float().cpu().numpy()
    return np.moveaxis((pixels.clip(0, 1) * 255).round().astype(np.uint8), -3, -1)
