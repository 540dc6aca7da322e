"""An explorer that moves smoothly at random. It needs no calibration and no workspace."""

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float32

from visual_foresight.collect.targets import FindTargets
from visual_foresight.env_info import EnvInfo, Limits
from visual_foresight.types import Observation

PERSISTENCE = 0.85  # share of the last wish in the next one: about seven steps in one direction
STD = 0.8  # standard deviation of each number of an action, before it is clipped


class SmoothExplorer:
    """Draws each action near the last one (an Ornstein-Uhlenbeck process).

    Args:
        limits: what actions are clipped with.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._wish: Float32[np.ndarray, " a"] | None = None

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action: see `registry.Explorer.act`."""
        drawn = rng.normal(0, STD, self._limits.action_size)
        if self._wish is None:
            wish = drawn
        else:
            wish = PERSISTENCE * self._wish + np.sqrt(1 - PERSISTENCE**2) * drawn
        self._wish = wish.astype(np.float32)
        wanted = torch.from_numpy(rearrange(self._wish, "a -> 1 1 a"))
        feasible = self._limits.clip(torch.from_numpy(observation.state), wanted)
        return rearrange(feasible, "1 1 a -> a").numpy().astype(np.float32)


def build(info: EnvInfo, find_targets: FindTargets | None) -> SmoothExplorer:
    """Return the explorer of an env (see `registry.EXPLORERS`); it aims at nothing."""
    return SmoothExplorer(info.limits)
