"""The verbs of the house: what each room must be able to do. One screen; read it first.

A new predictor or env is one file that honours one of these protocols, and one registry line; a
cost or a controller is one file, and a branch where they are chosen (`planning/mpc.py`,
`evaluation/methods.py`).
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from visual_foresight.types import Clip, Goal, Observation, Pixel, Plan, Prediction, Workspace


@runtime_checkable
class Env(Protocol):
    """A `gymnasium.Env` whose observation is {"frame", "state"}, seen by judges.

    A controller never holds one.
    """

    workspace: Workspace
    frame_size: tuple[int, int]
    state_size: int
    """How many numbers the robot's own state has."""
    homography: Float[np.ndarray, "3 3"]
    """Homography from (row, col, 1) in the frame to the robot's (x, y, 1), in metres, at the
    height of what is pushed: where the camera stands, which a rig is calibrated for once. It
    says nothing of objects."""

    renderer: str
    """What draws its frames, with its version where that decides what they look like."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]: ...
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]: ...
    def close(self) -> None: ...

    def observe(self) -> Observation:
        """Return the frame and the robot's state now."""
        ...

    def save(self) -> Any:
        """Return a picklable snapshot.

        After `restore` of it, here or in another env of this kind, the same actions give the
        same frames bit for bit.
        """
        ...

    def restore(self, snapshot: Any, exact: bool = True) -> None: ...

    def move(self, action: Any) -> None:
        """Carry out an action without looking."""
        ...

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the objects' poses: position in metres, quaternion x y z w. For judges only."""
        ...

    def pick(self, pixel: Pixel) -> Any:
        """Return the physical point seen at a pixel, fixed to its body. For judges only.

        Its `.kind` is "object", "arm" or "background".
        """
        ...

    def where(self, point: Any) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return where a picked point is now.

        In the frame (also when occluded) and in the world, in metres. Judges only.
        """
        ...

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen. For judges only."""
        ...


@runtime_checkable
class Drawable(Protocol):
    """An env that can also show its present scene larger than its frames, for people to look at."""

    def draw(self, scale: int) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
        """Return the scene `scale` times as large as a frame.

        A frame's pixel is a square of so many pixels a side.
        """
        ...


@runtime_checkable
class Predictor(Protocol):
    """p(o_{t+1} | o_{1:t}, a_t) in image space, with the motion of designated pixels."""

    context: int
    """How many frames it wants to see before it imagines."""

    def observe(self, clip: Clip) -> Any:
        """Return the carry after the clip's frames (b = 1, or b equal to the number of candidates imagined later)."""
        ...

    def imagine(
        self,
        carry: Any,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine each candidate from the carry (broadcast over n when b = 1). p = 0 asks for no pixel maps."""
        ...


@runtime_checkable
class Learner(Predictor, Protocol):
    """A predictor with weights.

    A `torch.nn.Module` built from its frozen configuration, which it keeps.
    """

    config: Any

    def calibrate(self, clip: Clip) -> None:
        """Set from experience, before the first gradient step, what needs no gradient.

        Doing nothing is fine.
        """
        ...


@runtime_checkable
class TrainingRoller(Learner, Protocol):
    """A learner that learns from another imagination than the one it is used with.

    It may look at what came next.
    """

    def training_rollout(
        self,
        clip: Clip,
        pixel_maps: Float[Tensor, "b p map_h map_w"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine what follows the clip's first `context` frames, and return what to add to the
        loss besides its errors.

        Frames may be left out (none, instead of t), now and then: pixel maps alone are learnt
        from then.

        Args:
            clip: known to its end.
            pixel_maps: of the newest context frame.
            rng: decides what is drawn.
            progress: the share of the training that is done, for what changes on the way.
        """
        ...


@runtime_checkable
class FramesOnly(Predictor, Protocol):
    """A predictor that cannot move pixels.

    It imagines with p = 0, and given more it raises `UserError`.
    """

    frames_only: Literal[True]


@runtime_checkable
class Sampler(Predictor, Protocol):
    """A predictor that draws futures: the members of its `Prediction` are samples."""

    def resampled(self, num_samples: int) -> Predictor:
        """Return the same model with another number of samples; the first ones stay the same."""
        ...


@runtime_checkable
class MotionPredictor(Predictor, Protocol):
    """A predictor that moves pixels, and can show how."""

    def motions(self, carry: Any, actions: Float[Tensor, "n t a"]) -> tuple[Any, ...]:
        """Return the `predictors.motion.AnyMotion` of each step, as `imagine` applies it to frames and pixel maps."""
        ...


@runtime_checkable
class Cost(Protocol):
    """How bad an imagined future is; the goal is bound at construction."""

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]: ...


@runtime_checkable
class Planner(Protocol):
    """A search over action sequences; it knows neither images nor models."""

    def plan(
        self,
        cost_of: Callable[[Float[Tensor, "n t a"]], Float[Tensor, " n"]],
        warm_start: Float[Tensor, "t a"] | None,
        rng: torch.Generator,
        *,
        clip: Callable[[Float[Tensor, "n t a"]], Float[Tensor, "n t a"]],
        proposals: Float[Tensor, "m t a"] | None = None,
    ) -> tuple[Float[Tensor, "t a"], tuple[Float[Tensor, " _"], ...]]:
        """Return the best sequence found and the costs per iteration. A cost that is not finite
        raises `ValueError`.

        Args:
            cost_of: what a batch of sequences costs.
            warm_start: the sequence found before, moved on by one action.
            rng: decides the search.
            clip: what the robot would really carry out; sequences are clipped before they are
                imagined.
            proposals: sequences worth a place among the first.
        """
        ...


@runtime_checkable
class Locator(Protocol):
    """Where is each designated pixel now?

    The weakest assumption of the method, so it is named and swappable.
    """

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]: ...


@runtime_checkable
class Controller(Protocol):
    """Chooses actions from what was seen; the previous plan is an argument, not an attribute."""

    def plan(
        self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator
    ) -> Plan: ...
