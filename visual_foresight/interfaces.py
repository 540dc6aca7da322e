"""The protocols that the packages honour: what each replaceable part must be able to do.

A new predictor, env, planner, cost or locator is one file that honours one of them, and one line
in the registry beside the other alternatives.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from visual_foresight.env_info import EnvInfo
from visual_foresight.types import (
    Clip,
    Goal,
    Observation,
    Pixel,
    Plan,
    Prediction,
    Search,
    UserError,
)


@runtime_checkable
class Env(Protocol):
    """A robot in its world: a `gymnasium.Env` whose observation is {"frame", "state"}.

    With several cameras, "frames" (name of the view -> frame) stands in place of "frame". What is
    read besides may be under "signals" (name -> float). A real robot, a
    simulator and any Gymnasium env (`envs.gymnasium_adapter`) can do this much; a simulator may
    also have `Snapshots` and be a `Judge`. A controller never holds one.
    """

    info: EnvInfo
    """Its cameras, the sizes of state and actions, and where the arm may go."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]: ...
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]: ...
    def close(self) -> None: ...

    def observe(self) -> Observation:
        """Return the frames and the robot's state now."""
        ...


@runtime_checkable
class Snapshots(Protocol):
    """A world that can go back: what the simulator as a model, and contact states, need."""

    def save(self) -> Any:
        """Return a picklable snapshot of the whole world."""
        ...

    def restore(self, snapshot: Any, exact: bool = True) -> None:
        """Return to a snapshot of this env or of another of its kind.

        Restored exactly, the same actions give the same frames bit for bit; otherwise nearly so,
        and faster.
        """
        ...

    def move(self, action: Any) -> None:
        """Carry out an action without rendering a frame."""
        ...


@runtime_checkable
class Judge(Protocol):
    """A world that knows where things truly are: for what measures results, never to control."""

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the objects' poses: position in metres, quaternion x y z w."""
        ...

    def pick(self, pixel: Pixel) -> Any:
        """Return the physical point seen at a pixel, fixed to its body.

        Its `.kind` is "object", "arm" or "background".
        """
        ...

    def where(self, point: Any) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return where a picked point is now: in the frame, also occluded, and in the world (m)."""
        ...

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen."""
        ...


@runtime_checkable
class JudgedEnv(Env, Judge, Protocol):
    """An env that is its own judge."""


@runtime_checkable
class SimulatedEnv(JudgedEnv, Snapshots, Protocol):
    """An env that is its own judge and can go back to a snapshot."""


@runtime_checkable
class Drawable(Protocol):
    """An env that can also draw its present scene larger than its frames, for people to see."""

    def draw(self, scale: int) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
        """Return the scene drawn with `scale` pixels a side for each pixel of a frame."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """p(o_{t+1} | o_{1:t}, a_t) in image space, with the motion of designated pixels."""

    context: int
    """How many frames it needs to see before it imagines."""

    def observe(self, clip: Clip) -> Any:
        """Return the carry, its memory of the clip's frames. It follows no pixels yet.

        b is 1, or the number of candidates that will be imagined from it.
        """
        ...

    def designate(self, carry: Any, pixels: Float[Tensor, "b p 2"]) -> Any:
        """Return the carry, following these designated pixels and no others.

        Frames do not depend on what is followed. Imagining further from a `Prediction.carry`
        follows the same pixels on.

        Args:
            carry: of `observe`, or of an earlier prediction.
            pixels: (row, col) in the newest frame, seen or imagined; b is 1 or the carry's, and
                n where the carry's is 1.
        """
        ...

    def imagine(
        self, carry: Any, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine what each candidate leads to.

        Args:
            carry: of `observe`, `designate` or an earlier prediction; shared by all candidates if
                b = 1.
            actions: the candidates.
            decode: whether to make frames as well.

        Returns:
            The prediction, with a pixel map for each designated pixel (p = 0 if there is none) on
            the grid `vision.pixel_maps.map_size_of(frame_size)`.
        """
        ...


@runtime_checkable
class Learner(Predictor, Protocol):
    """A predictor with weights: a `torch.nn.Module` built from its frozen configuration.

    It reads the first view, or those that a field `views` of its configuration names.
    """

    config: Any

    def calibrate(self, clip: Clip) -> None:
        """Set what is estimated from data without gradients, before the first gradient step."""
        ...


@runtime_checkable
class CustomTrainingRollout(Learner, Protocol):
    """A learner whose training rollout differs from its free-running one.

    While training it may see the frames that it is to predict (a posterior does), leave out what
    is not learnt from, or add an auxiliary loss. See `predictors.rollouts`.
    """

    def training_rollout(
        self,
        clip: Clip,
        places: Float[Tensor, "b p 2"],
        rng: torch.Generator,
        progress: float,
    ) -> tuple[Prediction, Float[Tensor, ""]]:
        """Imagine what follows the clip's first `context` frames, to learn from it.

        Args:
            clip: the whole clip, with the frames that are to be predicted.
            places: (row, col) of the points in the newest context frame.
            rng: the source of all chance.
            progress: share of the training that is done, from 0 to 1, for schedules.

        Returns:
            The prediction, whose errors are the loss (it may come without frames: then pixel maps
            alone are learnt from), and an auxiliary loss to add to them.
        """
        ...


@runtime_checkable
class FramesOnly(Predictor, Protocol):
    """A predictor that cannot follow pixels: `designate` raises `UserError` unless p = 0."""

    frames_only: Literal[True]


@runtime_checkable
class Sampler(Predictor, Protocol):
    """A stochastic predictor: the members of its `Prediction` are samples."""

    def resampled(self, num_samples: int) -> Predictor:
        """Return the same model with another number of samples; the first ones stay the same."""
        ...


@runtime_checkable
class MotionPredictor(Predictor, Protocol):
    """A predictor that moves pixels and can show how."""

    def motions(self, carry: Any, actions: Float[Tensor, "n t a"]) -> tuple[Any, ...]:
        """Return the motion of each step, as `imagine` applies it to frames and pixel maps.

        Each is a `predictors.layers.warping.AnyMotion`.
        """
        ...


@runtime_checkable
class Segments(Predictor, Protocol):
    """A predictor that tells things apart."""

    def segments(self, carry: Any) -> Float[Tensor, "b k h w"]:
        """Return how much of each pixel each thing covers, from 0 to 1, also behind the arm."""
        ...


@runtime_checkable
class Cost(Protocol):
    """How bad an imagined future is; the goal is bound at construction."""

    @property
    def needs(self) -> frozenset[str]:
        """Return what it reads of a prediction: of "frames", "maps", "latent" and "signals".

        The controller sees to it, or says in a sentence that it cannot (`Prediction.gives`).
        """
        ...

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate; lower is better, others do not matter."""
        ...


@runtime_checkable
class Proposer(Protocol):
    """A source of action sequences that deserve a place in the planner's first population."""

    def __call__(
        self, clip: Clip, sources: tuple[Pixel, ...], goal: Goal, rng: torch.Generator
    ) -> Float[Tensor, "m t a"]:
        """Return the sequences, given what is seen and where the designated pixels are now."""
        ...


@runtime_checkable
class Planner(Protocol):
    """A search over action sequences; it knows neither images nor models."""

    @property
    def horizon(self) -> int:
        """Return how many actions a sequence has."""
        ...

    @property
    def rollouts(self) -> int:
        """Return how many candidates one plan asks the cost of."""
        ...

    @property
    def max_proposals(self) -> int:
        """Return how many sequences it can take into its first population."""
        ...

    def plan(
        self,
        cost_of: Callable[[Float[Tensor, "n t a"]], Float[Tensor, " n"]],
        warm_start: Float[Tensor, "t a"] | None,
        rng: torch.Generator,
        *,
        clip: Callable[[Float[Tensor, "n t a"]], Float[Tensor, "n t a"]],
        proposals: Float[Tensor, "m t a"] | None = None,
    ) -> Search:
        """Search for the sequence that costs least.

        Args:
            cost_of: gives the cost of each sequence of a batch.
            warm_start: the previous best sequence, shifted by one action; None at first.
            rng: the source of all chance.
            clip: gives what the robot would really carry out; every candidate is clipped before
                its cost is asked for.
            proposals: sequences that take a place in the first population, `max_proposals` at
                most.

        Raises:
            ValueError: a cost is not finite.
        """
        ...


@runtime_checkable
class Locator(Protocol):
    """Finds each designated pixel in the newest frame: the weakest assumption of the method.

    Its memory is handed in and out; it keeps nothing itself.
    """

    def begin(self, clip: Clip, sources: tuple[Pixel, ...]) -> tuple[Any, tuple[Pixel, ...]]:
        """Return its memory, and a place in the clip's newest frame per designated pixel.

        Args:
            clip: what was seen, newest last.
            sources: the designated pixels in the newest frame; none for a goal without any.
        """
        ...

    def locate(
        self, memory: Any, clip: Clip, imagined: Float[Tensor, "p map_h map_w"]
    ) -> tuple[Any, tuple[Pixel, ...]]:
        """Return its memory, and a place in the clip's newest frame per designated pixel.

        Args:
            memory: what `begin` or `locate` returned one action ago.
            clip: what was seen, newest last.
            imagined: where the action was imagined to bring the pixels: a map each, or p = 0
                where nothing was imagined.
        """
        ...


@runtime_checkable
class Controller(Protocol):
    """Chooses actions from what was seen; the previous plan is an argument, not an attribute."""

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return a plan whose first action is to be carried out next.

        Args:
            clip: what was seen, newest last (b = 1).
            goal: its sources are places in the frame that was newest when `previous` was None.
            previous: the plan whose first action was carried out since; None at the first plan.
            rng: the source of all chance.
        """
        ...

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where it believes the designated pixels to be now; nothing if it does not look.

        Where there is no judge, this is asked for after the last action (arguments as in `plan`).
        """
        ...


def require_judge(env: Env, user: str) -> JudgedEnv:
    """Return an env that is its own judge.

    Args:
        env: any.
        user: what needs the judge, for the sentence.

    Raises:
        UserError: it is none.
    """
    if not isinstance(env, JudgedEnv):
        raise UserError(
            f"{user}: this needs a judge, which knows where things truly are, and this world has "
            "none; choose another world, or something that does without"
        )
    return env


def require_simulator(env: Env, user: str) -> SimulatedEnv:
    """Return an env that is its own judge and has snapshots (arguments as in `require_judge`).

    Raises:
        UserError: it has no snapshots, or is no judge.
    """
    if not isinstance(env, Snapshots):
        raise UserError(
            f"{user}: this needs snapshots of the world, to go back to, and this world has none; "
            "choose another world, or something that does without"
        )
    judged = require_judge(env, user)
    assert isinstance(judged, SimulatedEnv)
    return judged
