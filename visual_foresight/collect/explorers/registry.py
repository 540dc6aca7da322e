"""The explorers by their names."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from visual_foresight.collect.explorers.sweeps import SweepingExplorer
from visual_foresight.collect.targets import FindTargets
from visual_foresight.types import Observation, Workspace


@runtime_checkable
class Explorer(Protocol):
    """A policy without a goal. It may remember its way: there is a new one for each episode."""

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action, in [-1, 1], which does not lead out of the workspace."""
        ...


EXPLORERS: dict[str, Callable[[Workspace, FindTargets], Explorer]] = {
    "sweeps": SweepingExplorer,
}
"""Name -> what builds the explorer, given the workspace and what finds targets to push."""

DEFAULT_EXPLORER = "sweeps"
