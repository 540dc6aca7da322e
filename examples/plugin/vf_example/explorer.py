"""The explorer `crossing`: straight ways, most of them through the middle of where it has been."""

import numpy as np
from jaxtyping import Float32

from visual_foresight.collect.targets import FindTargets
from visual_foresight.env_info import EnvInfo
from visual_foresight.types import Observation

NUM_STEPS = (6, 16)  # of one way, the second exclusive
TURN_STD = 0.5  # radians between a way and the middle


class Crossing:
    """Moves by the first two numbers of an action, which it takes to move those of the state.

    It knows no limits: a way ends, too, when the robot does not move any more.

    Args:
        info: what is known of the robot.
        find_targets: finds what could be pushed; None where the camera is not calibrated. It is
            not used here: `collect/explorers/sweeps.py` is an explorer that aims.
    """

    def __init__(self, info: EnvInfo, find_targets: FindTargets | None) -> None:
        self._action = np.zeros(info.action_size, np.float32)
        self._places: list[Float32[np.ndarray, "2"]] = []
        self._num_left = 0

    def act(
        self, observation: Observation, rng: np.random.Generator
    ) -> Float32[np.ndarray, " a"]:
        """Return the next action, in [-1, 1]. There is a new explorer for each episode."""
        place = observation.state[:2]
        is_stuck = bool(self._places) and np.allclose(place, self._places[-1], atol=1e-4)
        if self._num_left == 0 or is_stuck:
            across = np.mean([*self._places, place], axis=0) - place
            towards = np.arctan2(across[1], across[0])
            angle = (
                rng.normal(towards, TURN_STD) if across.any() else rng.uniform(-np.pi, np.pi)
            )
            self._action[:2] = np.cos(angle), np.sin(angle)
            self._num_left = int(rng.integers(*NUM_STEPS))
        self._places.append(place)
        self._num_left -= 1
        return self._action.copy()
