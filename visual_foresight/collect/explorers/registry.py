"""The explorers by their names."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from visual_foresight.system.plugins import Registry
from visual_foresight.types import Observation


@runtime_checkable
class Explorer(Protocol):
    """A policy without a goal. It may remember its way: there is a new one for each episode."""

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action, in [-1, 1], which does not lead out of the workspace."""
        ...


EXPLORERS = Registry(
    "explorer",
    "explorers",
    {"sweeps": "visual_foresight.collect.explorers.sweeps:SweepingExplorer"},
    Explorer,
)
"""Name -> what builds the explorer, given the workspace and what finds targets to push: a
`types.Workspace` and a `collect.targets.FindTargets`."""

DEFAULT_EXPLORER = "sweeps"
