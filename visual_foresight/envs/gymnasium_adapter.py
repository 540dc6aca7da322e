"""Any Gymnasium env whose observation is {"frame", "state"}, as an env of ours.

Where it has several cameras, "frames" holds a frame for each in place of "frame". It has neither
snapshots nor a judge, and its first camera is calibrated only where that is said.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float, UInt8

from visual_foresight.env_info import EnvInfo, Homography, View, require_views
from visual_foresight.types import Observation, UserError, Workspace

CAMERA = "camera"
"""Name of the view of an env whose observation has one "frame"."""


class GymnasiumEnv:
    """Makes an `interfaces.Env` of a Gymnasium env.

    Our actions, in [-1, 1], are scaled to its action space. After its episode has ended
    ("terminated" or "truncated"), its world rests: actions have no effect until the next reset.

    Args:
        env: its observation space is a `Dict` with "state" (numbers) and "frame" (uint8 `h w 3`),
            or with a `Dict` of such "frames"; its action space is a bounded `Box` of one axis.
        reward_signal: the signal of an observation that its reward becomes; None: it is ignored.
        homography: the first camera's calibration, where it is known.
        workspace: where an action takes the arm, where that is known.
        views: names of its "frames" in the order wanted, the first view first; by default that of
            the space, which Gymnasium sorts.

    Raises:
        UserError: a space is another, or there is no such view.
    """

    def __init__(
        self,
        env: gymnasium.Env[Any, Any],
        reward_signal: str | None = "reward",
        homography: Homography | None = None,
        workspace: Workspace | None = None,
        views: Sequence[str] | None = None,
    ) -> None:
        frame_sizes, state_size = _sizes(env)
        names = tuple(frame_sizes) if views is None else tuple(views)
        require_views(names, tuple(frame_sizes), type(env.unwrapped).__name__)
        self._low, self._high = _action_range(env)
        self._env = env
        self._reward_signal = reward_signal
        self._newest: Observation | None = None
        self._has_ended = False
        self._is_closed = False
        self.info = EnvInfo(
            views={
                name: View(frame_sizes[name], homography if name == names[0] else None)
                for name in names
            },
            action_size=len(self._low),
            state_size=state_size,
            workspace=workspace,
            renderer=type(env.unwrapped).__name__,
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin anew; see the env for what seed and options decide."""
        seen, notes = self._env.reset(seed=seed, options=options)
        self._has_ended = False
        return self._keep(seen, {}), notes

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Act, then observe. The observation has the reward among its "signals"."""
        wanted = np.asarray(action, np.float64)
        if wanted.shape != self._low.shape or not np.isfinite(wanted).all():
            raise UserError(
                f"an action of {len(self._low)} finite numbers in [-1, 1] is needed, got {action}: "
                "give one"
            )
        if self._has_ended:
            return self._keep(vars(self.observe()), self._signals(0.0)), 0.0, True, False, {}
        share = (np.clip(wanted, -1, 1) + 1) / 2
        scaled = self._low + share * (self._high - self._low)
        seen, reward, terminated, truncated, notes = self._env.step(
            scaled.astype(self._env.action_space.dtype)
        )
        self._has_ended = bool(terminated or truncated)
        kept = self._keep(seen, self._signals(float(reward)))
        return kept, float(reward), bool(terminated), bool(truncated), notes

    def observe(self) -> Observation:
        """Return what the last step or reset showed.

        Raises:
            UserError: there was no reset yet.
        """
        if self._newest is None:
            raise UserError("nothing has been seen yet: reset the env first")
        return self._newest

    def close(self) -> None:
        """Close the env; a second time does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._env.close()

    def _signals(self, reward: float) -> dict[str, float]:
        return {} if self._reward_signal is None else {self._reward_signal: reward}

    def _keep(self, seen: Any, signals: dict[str, float]) -> dict[str, Any]:
        """Remember an observation, as arrays of its own, and return it."""
        shown = _frames(seen)
        frames = {name: self._frame(name, shown[name]) for name in self.info.views}
        state = np.array(seen["state"], np.float32)
        self._newest = Observation(frames, state, signals)
        return {**self._newest.parts(), "signals": signals}

    def _frame(self, view: str, shown: Any) -> UInt8[np.ndarray, "h w 3"]:
        """Return a frame as an array of its own, if it is what the observation space promised."""
        frame = np.array(shown)
        promised = (*self.info.views[view].frame_size, 3)
        if frame.dtype != np.uint8 or frame.shape != promised:
            raise UserError(
                f"{type(self._env.unwrapped).__name__} promised frames of uint8 and shape "
                f"{promised}, and returned {frame.dtype} of {frame.shape}: return what the "
                "observation space says"
            )
        return frame


def _sizes(env: gymnasium.Env[Any, Any]) -> tuple[dict[str, tuple[int, int]], int]:
    """Return height and width of the frames of each view, and the size of the state."""
    name = type(env.unwrapped).__name__
    space = env.observation_space
    parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {}
    frames = _frames(parts)
    state = parts.get("state")
    if not frames or state is None or state.shape is None:
        raise UserError(
            f'{name} is no env for a robot: its observation must be {{"frame", "state"}}, '
            f"got {space}; wrap it so that it is"
        )
    sizes = {}
    for view, frame in frames.items():
        if frame.shape is None or frame.shape[2:] != (3,) or frame.dtype != np.uint8:
            raise UserError(
                f"the frames of {name} must be uint8 of shape (height, width, 3), "
                f"got {frame.dtype} of {frame.shape}: wrap it so that they are"
            )
        sizes[view] = (frame.shape[0], frame.shape[1])
    if len(state.shape) != 1:
        raise UserError(
            f"the state of {name} must have one axis, got shape {state.shape}: flatten it"
        )
    return sizes, state.shape[0]


def _frames(parts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the part of each view, of an observation or of the space of observations."""
    frames = parts.get("frames")
    if isinstance(frames, Mapping | spaces.Dict):
        return dict(frames)
    return {CAMERA: parts["frame"]} if "frame" in parts else {}


def _action_range(
    env: gymnasium.Env[Any, Any],
) -> tuple[Float[np.ndarray, " a"], Float[np.ndarray, " a"]]:
    """Return the least and the greatest action."""
    space = env.action_space
    if not isinstance(space, spaces.Box) or len(space.shape) != 1 or not space.is_bounded():
        raise UserError(
            f"the actions of {type(env.unwrapped).__name__} must be a bounded Box of one axis, "
            f"got {space}: wrap it so that they are"
        )
    return space.low.astype(np.float64), space.high.astype(np.float64)
