"""What is seen, recorded and learnt from: observations, episodes and clips.

Everybody has them from `types`. Each has the frames of one camera, the first view, under a plain
name; those of further cameras are beside them in a mapping by name, which is mostly empty.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

ONLY_VIEW = ""
"""Name of the view of an observation whose camera nobody named, because it is the only one."""


@dataclass(frozen=True)
class Observation:
    """What the robot perceives at one instant: frames and its own measured state (SI units)."""

    frames: Mapping[str, UInt8[np.ndarray, "_h _w 3"]]
    """A frame per camera, by the names of the views; the first one is `frame`."""
    state: Float32[np.ndarray, " s"]
    signals: Mapping[str, float] = field(default_factory=dict)
    """What else was measured since the observation before, such as a "reward"; often nothing."""

    def __post_init__(self) -> None:
        if not self.frames:
            raise ValueError("an observation has a frame of one view or more, got none")
        for name, frame in self.frames.items():
            if frame.dtype != np.uint8 or frame.shape[2:] != (3,):
                raise ValueError(
                    "a frame is uint8 of shape (height, width, 3), that of the view "
                    f"{name!r} is {frame.dtype} of {frame.shape}"
                )

    @property
    def frame(self) -> UInt8[np.ndarray, "h w 3"]:
        """Return the frame of the first view."""
        return next(iter(self.frames.values()))

    @classmethod
    def single(
        cls,
        frame: UInt8[np.ndarray, "h w 3"],
        state: Float32[np.ndarray, " s"],
        signals: Mapping[str, float] | None = None,
    ) -> "Observation":
        """Return what a robot with one camera perceives."""
        return cls({ONLY_VIEW: frame}, state, signals or {})

    @classmethod
    def of(cls, seen: Mapping[str, Any]) -> "Observation":
        """Return what an env's `step` or `reset` gave.

        Args:
            seen: "state", perhaps "signals", and "frame", or "frames" by the names of the views.
        """
        signals = seen.get("signals", {})
        if "frames" in seen:
            return cls(dict(seen["frames"]), seen["state"], signals)
        return cls.single(seen["frame"], seen["state"], signals)

    def parts(self) -> dict[str, Any]:
        """Return it as an env's `step` gives it (see `of`), without the signals."""
        if len(self.frames) == 1:
            return {"frame": self.frame, "state": self.state}
        return {"frames": dict(self.frames), "state": self.state}


@dataclass(frozen=True)
class Episode:
    """A recorded run: t actions join t+1 frames and states.

    Action t takes frame t to frame t+1.
    """

    actions: Float32[np.ndarray, "t a"]
    frames: UInt8[np.ndarray, "t_plus_1 h w 3"]
    """Of the first view."""
    states: Float32[np.ndarray, "t_plus_1 s"]
    tracks: Float32[np.ndarray, "t_plus_1 p 2"]
    """True (row, col) of p physical points over time, seen in the first frame. For judges only;
    p = 0 where unknown."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON values: seed, index, and for each track its kind: "object", "arm" or
    "background"."""
    signals: Mapping[str, Float32[np.ndarray, " t"]] = field(default_factory=dict)
    """What else was measured, such as a "reward": value t came with frame t+1, after action t."""
    other_views: Mapping[str, UInt8[np.ndarray, "t_plus_1 _h _w 3"]] = field(
        default_factory=dict
    )
    """Frames of further cameras, by the names of their views."""

    def __post_init__(self) -> None:
        num_steps = len(self.actions)
        counts = (len(self.frames), len(self.states), len(self.tracks))
        if set(counts) != {num_steps + 1}:
            raise ValueError(
                f"t actions join t+1 frames, states and tracks, got {num_steps} and {counts}"
            )
        for name, values in self.signals.items():
            if len(values) != num_steps:
                raise ValueError(
                    f"a signal has one value per action: {name!r} has {len(values)} values for "
                    f"{num_steps} actions"
                )
        for name, frames in self.other_views.items():
            if len(frames) != num_steps + 1:
                raise ValueError(
                    f"t actions join t+1 frames: the view {name!r} has {len(frames)} frames for "
                    f"{num_steps} actions"
                )

    def observation(self, step: int) -> Observation:
        """Return what the robot perceived before an action, or after the last one; no signals."""
        others = {name: frames[step] for name, frames in self.other_views.items()}
        return Observation({ONLY_VIEW: self.frames[step], **others}, self.states[step])


def signals_of(observations: Sequence[Observation]) -> dict[str, Float32[np.ndarray, " t"]]:
    """Return the signals of an episode: those that came with every observation but the first.

    Args:
        observations: of the whole episode, the first one from before the first action.
    """
    measured = observations[1:]
    names = measured[0].signals if measured else {}
    return {
        name: np.array([each.signals[name] for each in measured], np.float32)
        for name in names
        if all(name in each.signals for each in measured)
    }


def other_views_of(
    observations: Sequence[Observation],
) -> dict[str, UInt8[np.ndarray, "t _h _w 3"]]:
    """Return the frames of all views but the first, by name.

    Args:
        observations: one or more, all with the same views.
    """
    names = list(observations[0].frames)[1:]
    return {name: np.stack([each.frames[name] for each in observations]) for name in names}


@dataclass(frozen=True)
class Clip:
    """A slice of experience to learn from or to plan from: batched tensors, frames in [0, 1]."""

    actions: Float[Tensor, "b t a"]
    frames: Float[Tensor, "b t_plus_1 c h w"]
    """Of the first view."""
    states: Float[Tensor, "b t_plus_1 s"]
    other_views: Mapping[str, Float[Tensor, "b t_plus_1 c _h _w"]] = field(default_factory=dict)
    """Frames of further cameras, by the names of their views, for predictors that read several."""

    def __post_init__(self) -> None:
        num_steps = self.actions.shape[1]
        num_frames = self.frames.shape[1]
        num_states = self.states.shape[1]
        if not num_frames == num_states == num_steps + 1:
            raise ValueError(
                f"t actions join t+1 frames and states, got {num_steps}, {num_frames} "
                f"and {num_states}"
            )
        for name, frames in self.other_views.items():
            if frames.shape[1] != num_frames:
                raise ValueError(
                    f"all views have as many frames, got {num_frames} of the first one and "
                    f"{frames.shape[1]} of {name!r}"
                )

    @property
    def frame_size(self) -> tuple[int, int]:
        """Height and width of the frames, in pixels."""
        return self.frames.shape[-2], self.frames.shape[-1]

    def newest(self, num_frames: int) -> "Clip":
        """Return the last frames of the clip and the actions between them.

        Raises:
            ValueError: the clip is shorter.
        """
        first = self.frames.shape[1] - num_frames
        if first < 0:
            raise ValueError(
                f"{num_frames} frames of context are needed, the clip has {self.frames.shape[1]}"
            )
        return self._cut(slice(first, None), slice(first, None))

    def oldest(self, num_frames: int) -> "Clip":
        """Return the first frames of the clip and the actions between them."""
        return self._cut(slice(num_frames), slice(num_frames - 1))

    def to(self, device: torch.device | str) -> "Clip":
        """Return the same clip on another device."""
        return Clip(
            self.actions.to(device),
            self.frames.to(device),
            self.states.to(device),
            self._others(lambda frames: frames.to(device)),
        )

    def _cut(self, frames: slice, actions: slice) -> "Clip":
        return Clip(
            self.actions[:, actions],
            self.frames[:, frames],
            self.states[:, frames],
            self._others(lambda whole: whole[:, frames]),
        )

    def _others(self, change: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
        """Return what becomes of the frames of the further views."""
        return {name: change(frames) for name, frames in self.other_views.items()}
