"""The explorers by their names."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from visual_foresight.collect.explorers.smooth import SmoothExplorer
from visual_foresight.collect.explorers.sweeps import SweepingExplorer
from visual_foresight.collect.targets import FindTargets
from visual_foresight.env_info import EnvInfo
from visual_foresight.types import Observation, UserError


@runtime_checkable
class Explorer(Protocol):
    """A policy without a goal. It may remember its way: there is a new one for each episode."""

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action, in [-1, 1], which does not lead out of the workspace."""
        ...


def _sweeps(info: EnvInfo, find_targets: FindTargets | None) -> Explorer:
    user = "the explorer 'sweeps' ('smooth' does without)"
    if find_targets is None:
        info.view.calibration(user)
        raise UserError(f"{user}: this needs something that finds targets to push")
    return SweepingExplorer(info.require_workspace(user), find_targets)


def _smooth(info: EnvInfo, find_targets: FindTargets | None) -> Explorer:
    return SmoothExplorer(info.limits)


EXPLORERS: dict[str, Callable[[EnvInfo, FindTargets | None], Explorer]] = {
    "sweeps": _sweeps,
    "smooth": _smooth,
}
"""Name -> what builds the explorer.

It is given what is known of the robot, and what finds targets to push, which is None where the
camera is not calibrated. It raises `UserError` where it cannot do without.
"""

DEFAULT_EXPLORER = "sweeps"
