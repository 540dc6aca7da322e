"""The data types that the packages hand to one another.

Everything here is frozen and checks itself on construction; nothing here knows a simulator, a
network or a screen. What is seen and recorded (observation, episode, clip) is in `experience`,
and is had from here as well. Axis letters: `b` batch, `n` candidates, `t` time, `c h w` image, `a`
action, `s` robot state, `p` designated pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True)
class PixelGoal:
    """Move what is now seen at each designated pixel to its goal pixel.

    `sources` are the designated pixels, `targets` the goal pixels in the same order.
    """

    sources: tuple[Pixel, ...]
    targets: tuple[Pixel, ...]

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets) or not self.sources:
            raise ValueError(
                f"one goal pixel per designated pixel: {len(self.sources)} sources, "
                f"{len(self.targets)} targets"
            )

    def check_inside(self, frame_size: tuple[int, int]) -> None:
        """Check that all pixels lie in a frame of this height and width.

        Raises:
            UserError: one does not.
        """
        height, width = frame_size
        for name, pixels in (("designated", self.sources), ("goal", self.targets)):
            for pixel in pixels:
                if not pixel.inside(height, width):
                    raise UserError(
                        f"the {name} pixel (row {pixel.row:g}, col {pixel.col:g}) is outside the "
                        f"frame of {height} rows and {width} columns: choose one inside it"
                    )


@dataclass(frozen=True)
class ImageGoal:
    """Make the camera see this frame."""

    frame: UInt8[np.ndarray, "h w 3"]


Goal = PixelGoal | ImageGoal


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
    reference: Float[Tensor, "c h w"]
    """The frame in which the goal's pixels were designated; each plan hands it to the next."""
    runners_up: Float[Tensor, "m _t _a"] = field(default_factory=lambda: torch.zeros(0, 0, 0))
    """The next best candidates of the last iteration, best first, where they were asked for."""


@dataclass(frozen=True)
class Trial:
    """One closed-loop run with a goal, measured by a judge where there is one."""

    goal: Goal
    episode: Episode
    plans: tuple[Plan, ...]
    distances_m: tuple[float, ...]
    """Distance on the table, in metres, from the designated point to its goal, before the first
    and after each step. Of several points, the one farthest from its goal counts; for an image
    goal, which has none, the distance is 0. Empty where metres are not known."""
    distances_px: tuple[float, ...]
    """The same in the frame, in pixels. Empty where nothing said where the points are."""
    is_believed: bool = False
    """Whether the distances are only what the locator believes: no judge knew the truth."""

    def success(self, radius_m: float) -> bool:
        """Tell whether every designated point ended within this distance of its goal."""
        return bool(self.distances_m) and self.distances_m[-1] <= radius_m

    def distance_text(self, step: int, suffix: str = " to go") -> str:
        """Return the distance before a step in words; nothing where it is not known.

        Args:
            step: a negative one counts from the end.
            suffix: follows the distance.
        """
        return distance_text(
            self.distances_m[step] if self.distances_m else None,
            self.distances_px[step] if self.distances_px else None,
            self.is_believed,
            suffix,
        )


def distance_text(
    distance_m: float | None,
    distance_px: float | None,
    is_believed: bool,
    suffix: str = " to go",
) -> str:
    """Return a distance to a goal in words: "4.2 cm to go", "believed 3.1 px to go", or nothing."""
    if distance_px is None and distance_m is None:
        return ""
    length = f"{distance_px:.1f} px" if distance_m is None else f"{100 * distance_m:.1f} cm"
    return f"{'believed ' if is_believed else ''}{length}{suffix}"


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
