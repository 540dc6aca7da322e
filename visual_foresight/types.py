"""The data types that the packages hand to one another.

Everything here is frozen and checks itself on construction; nothing here knows a simulator, a
network or a screen. What is seen and recorded (observation, episode, clip) is in `experience`,
and is had from here as well. Axis letters: `b` batch, `n` candidates, `t` time, `c h w` image, `a`
action, `s` robot state, `p` designated pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from visual_foresight.experience import Clip as Clip
from visual_foresight.experience import Episode as Episode
from visual_foresight.experience import Observation as Observation
from visual_foresight.experience import other_views_of as other_views_of
from visual_foresight.experience import signals_of as signals_of


class UserError(Exception):
    """Bad input, in one clear sentence; the command line prints it and exits with code 2."""


@dataclass(frozen=True)
class Pixel:
    """A place in a frame, in pixels; the centre of the top left pixel is at (0, 0)."""

    row: float
    col: float

    def distance(self, other: "Pixel") -> float:
        """Return the Euclidean distance to another pixel, in pixels."""
        return float(np.hypot(self.row - other.row, self.col - other.col))

    def inside(self, height: int, width: int) -> bool:
        """Tell whether the place lies in a frame of this size."""
        return -0.5 <= self.row < height - 0.5 and -0.5 <= self.col < width - 0.5


@runtime_checkable
class Goal(Protocol):
    """What a trial is to reach, and what the loop, the judge and the page need to know of it.

    It is frozen. See `goals.registry` for the alternatives.
    """

    kind: ClassVar[str]
    """Its name in the registry and in files."""
    cost: ClassVar[str]
    """The name of the cost that belongs to it."""
    unit: ClassVar[str]
    """What its own measure is in, and that cost: "px", for example."""

    @property
    def sources(self) -> tuple[Pixel, ...]:
        """Return the designated pixels, places in the first frame; none for an image goal."""
        ...

    @property
    def targets(self) -> tuple[Pixel, ...]:
        """Return the goal pixels, one for each designated pixel, in the same order."""
        ...

    def check(self, frame_size: tuple[int, int]) -> None:
        """Raise `UserError` if it does not fit frames of this height and width."""
        ...

    def measure(self, observation: Observation, places: tuple[Pixel, ...]) -> float | None:
        """Return how far it is from being reached, in `unit`: 0 if it is, None if nobody can say.

        Args:
            observation: what is seen now.
            places: where the designated pixels are, or are believed to be; none if unknown.
        """
        ...

    def draw(
        self, picture: UInt8[np.ndarray, "h w 3"], places: Sequence[Pixel], scale: int
    ) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
        """Draw the goal onto a picture, or beside it, for people.

        Args:
            picture: a frame, `scale` times as large.
            places: of the designated pixels, those that are to be shown.
            scale: how many times larger than the frame the picture is.
        """
        ...

    def describe(self) -> str:
        """Return it in a few words, for lists of runs."""
        ...

    def to_json(self) -> Any:
        """Return plain JSON values that `from_json` makes an equal goal of."""
        ...

    @classmethod
    def from_json(cls, written: Any) -> "Goal":
        """Make a goal of what `to_json` returned.

        Raises:
            UserError: it was not this that it returned.
        """
        ...


@dataclass(frozen=True)
class Workspace:
    """Where the arm may go, and how far an action takes it.

    One unit of action i moves `state[i]` by `step[i]`, within [`low[i]`, `high[i]`]. An env
    applies these limits; a planner applies the same to its candidates *before* they are imagined.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    step: tuple[float, ...]

    @property
    def action_size(self) -> int:
        """Return how many numbers an action has."""
        return len(self.step)

    def clip(
        self, state: Float[Tensor, " s"], actions: Float[Tensor, "n t a"]
    ) -> Float[Tensor, "n t a"]:
        """Return the actions that are really carried out from this state.

        They are in [-1, 1] and lead to no place outside the limits, at any step.
        """
        size = actions.shape[-1]
        low = actions.new_tensor(self.low)
        high = actions.new_tensor(self.high)
        step = actions.new_tensor(self.step)
        position = torch.minimum(torch.maximum(state[:size].to(actions), low), high)
        clipped = []
        for action in actions.clamp(-1, 1).unbind(1):
            reached = torch.minimum(torch.maximum(position + action * step, low), high)
            clipped.append((reached - position) / step)
            position = reached
        return torch.stack(clipped, dim=1) if clipped else actions


@dataclass(frozen=True)
class Prediction:
    """What a predictor imagines for n candidates of t actions."""

    frames: Float[Tensor, "n f c h w"]
    """Imagined frames in [0, 1]: f = t where they were decoded, f = 0 otherwise."""
    pixel_maps: Float[Tensor, "n t p map_h map_w"]
    """Where each designated pixel is after each action: distributions (each sums to 1) on a grid
    that may be coarser than the frame and covers it exactly."""
    lost: Float[Tensor, "n t p"]
    """The mass that the motion lost (negative: made) before a map was normalised."""
    carry: Any
    """The predictor's memory after the last action: imagine further from it."""
    frame_size: tuple[int, int]
    """Height and width in pixels of the frames, decoded or not, and of what the maps cover."""
    members: tuple["Prediction", ...] = ()
    """What each of several models, or several samples of one, imagine for the same candidates;
    where there are any, frames and maps are their average."""
    signals: Mapping[str, Float[Tensor, "n t"]] = field(default_factory=dict)
    """What else a model says of each step, by name: a reward, say."""
    latents: Float[Tensor, "n t z"] | None = None
    """What a model with a latent state imagines it to be after each action; None for others, and
    where members have a latent state each."""

    def __post_init__(self) -> None:
        num_frames = self.frames.shape[1]
        num_steps = self.pixel_maps.shape[1]
        if num_frames not in (0, num_steps):
            raise ValueError(
                f"no frames, or one per action, were expected: "
                f"got {num_frames} frames for {num_steps} actions"
            )
        if num_frames and tuple(self.frames.shape[-2:]) != self.frame_size:
            raise ValueError(
                f"frames of {self.frame_size} were expected, got {tuple(self.frames.shape[-2:])}"
            )

    @property
    def gives(self) -> frozenset[str]:
        """Return what it has of what a cost may need (see `interfaces.Cost`)."""
        there = {
            "frames": self.frames.shape[1] > 0,
            "maps": self.pixel_maps.shape[2] > 0,
            "latent": self.latents is not None,
            "signals": bool(self.signals),
        }
        return frozenset(name for name, is_there in there.items() if is_there)

    def to(self, device: torch.device | str) -> "Prediction":
        """Return the same prediction on another device; its carry stays where it is."""
        return Prediction(
            frames=self.frames.to(device),
            pixel_maps=self.pixel_maps.to(device),
            lost=self.lost.to(device),
            carry=self.carry,
            frame_size=self.frame_size,
            members=tuple(member.to(device) for member in self.members),
            signals={name: signal.to(device) for name, signal in self.signals.items()},
            latents=None if self.latents is None else self.latents.to(device),
        )

    @staticmethod
    def average(members: "Sequence[Prediction]") -> "Prediction":
        """Return the average of several predictions of the same candidates.

        Its carry is the tuple of theirs: imagined further, every member goes on from its own
        frames and its own pixel maps. All members have the same signals.
        """
        return Prediction(
            frames=torch.stack([member.frames for member in members]).mean(0),
            pixel_maps=torch.stack([member.pixel_maps for member in members]).mean(0),
            lost=torch.stack([member.lost for member in members]).mean(0),
            carry=tuple(member.carry for member in members),
            frame_size=members[0].frame_size,
            members=tuple(members),
            signals={
                name: torch.stack([member.signals[name] for member in members]).mean(0)
                for name in members[0].signals
            },
        )

    @staticmethod
    def without_model(
        actions: Float[Tensor, "n t a"], frame_size: tuple[int, int]
    ) -> "Prediction":
        """Return the prediction of a controller that imagines nothing: no frames and no maps."""
        num, num_steps, _ = actions.shape
        height, width = frame_size
        return Prediction(
            frames=torch.zeros(num, 0, 3, height, width),
            pixel_maps=torch.zeros(num, num_steps, 0, height, width),
            lost=torch.zeros(num, num_steps, 0),
            carry=None,
            frame_size=frame_size,
        )


@dataclass(frozen=True)
class Search:
    """What a planner found."""

    best: Float[Tensor, "t a"]
    """The cheapest sequence of all."""
    costs: tuple[Float[Tensor, " _"], ...]
    """Costs of all candidates, one tensor per iteration (their number differs)."""
    candidates: Float[Tensor, "n t a"]
    """The candidates of the last iteration, cheapest first."""
    candidate_costs: Float[Tensor, " n"]
    """Their costs."""
    elites: Float[Tensor, "e _t _a"] = field(default_factory=lambda: torch.zeros(0, 0, 0))
    """The best candidates of all iterations together; none of a planner that keeps none."""

    @property
    def others(self) -> Float[Tensor, "m t a"]:
        """Return the candidates of the last iteration that are not the best sequence itself."""
        return self.candidates[(self.candidates != self.best).flatten(1).any(1)]


@dataclass(frozen=True)
class Plan:
    """What a controller chose, and why."""

    actions: Float[Tensor, "t a"]
    """The best sequence found; the first action is carried out."""
    sources: tuple[Pixel, ...]
    """Where the locator found the designated pixels in the newest frame; none for an image goal."""
    prediction: Prediction
    """What is imagined of `actions`, and after it of the runners-up: n = 1 + m."""
    costs: tuple[Float[Tensor, " _"], ...]
    """Costs of all candidates, one tensor per planner iteration (their number differs)."""
    seconds: float
    """Wall-clock time that the planning took."""
    memory: Any = None
    """What the locator remembers; each plan hands it to the next (see `interfaces.Locator`)."""
    runners_up: Float[Tensor, "m _t _a"] = field(default_factory=lambda: torch.zeros(0, 0, 0))
    """The next best candidates of the last iteration, best first, where they were asked for."""
    elites: Float[Tensor, "e _t _a"] = field(default_factory=lambda: torch.zeros(0, 0, 0))
    """Those of the search, cheapest first: how far apart they are tells how sure it is."""


def to_float(frames: UInt8[np.ndarray, "*batch h w c"]) -> Float[Tensor, "*batch c h w"]:
    """Turn frames as stored (uint8, channels last) into frames as networks see them.

    Those are floats in [0, 1], channels first.
    """
    # NumPy does it, not torch: batches are made in a thread beside training, and a second pool
    # of OpenMP threads makes both half as fast.
    return torch.from_numpy(np.moveaxis(frames, -1, -3).astype(np.float32) / np.float32(255))


def to_uint8(frames: Float[Tensor, "*batch c h w"]) -> UInt8[np.ndarray, "*batch h w c"]:
    """Turn frames as networks see them into frames as stored; values outside [0, 1] are clamped."""
    # NumPy does it, not torch: the page draws in a thread beside a search, and with two pools of
    # OpenMP threads on the same cores a search takes a fifth longer.
    pixels = frames.detach().float().cpu().numpy()
    return np.moveaxis((pixels.clip(0, 1) * 255).round().astype(np.uint8), -3, -1)
