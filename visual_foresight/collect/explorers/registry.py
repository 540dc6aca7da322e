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
    {
        "sweeps": "visual_foresight.collect.explorers.sweeps:build",
        "smooth": "visual_foresight.collect.explorers.smooth:build",
    },
)
"""Name -> what builds the explorer.

It is given what is known of the robot (`env_info.EnvInfo`), and what finds targets to push
(`collect.targets.FindTargets`), which is None where the camera is not calibrated. It raises
`UserError` where it cannot do without, and returns an `Explorer`.
"""

DEFAULT_EXPLORER = "sweeps"
