"""A plain Gymnasium env for tests: a square slides over a dark ground. No judge, no calibration."""

from typing import Any

import gymnasium
import numpy as np

SIZE = (32, 40)
LOW = np.array([-2.0, 0.0], np.float32)
HIGH = np.array([2.0, 6.0], np.float32)


class Slider(gymnasium.Env[dict[str, Any], Any]):
    """An action (down, right - 3) moves the square by so many pixels. Nothing here is ours.

    Args:
        num_steps: after so many actions an episode is over.
    """

    def __init__(self, num_steps: int = 1000) -> None:
        self.action_space = gymnasium.spaces.Box(LOW, HIGH, dtype=np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "frame": gymnasium.spaces.Box(0, 255, (*SIZE, 3), np.uint8),
                "state": gymnasium.spaces.Box(0, 64, (3,), np.float32),
            }
        )
        self.place = np.zeros(2)
        self.num_left = self.num_steps = num_steps
        self.num_closed = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self.num_left = self.num_steps
        self.place = self.np_random.uniform((8, 8), (SIZE[0] - 9, SIZE[1] - 9)).round()
        return self._seen(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        assert self.num_left > 0, "nobody may act after the end"
        self.num_left -= 1
        moved = self.place + np.asarray(action, float) - (0, 3)
        self.place = moved.clip(4, (SIZE[0] - 5, SIZE[1] - 5))
        return self._seen(), float(self.place[1]), False, self.num_left == 0, {}

    def close(self) -> None:
        self.num_closed += 1

    def _seen(self) -> dict[str, Any]:
        frame = np.full((*SIZE, 3), 40, np.uint8)
        row, col = self.place.round().astype(int)
        frame[row - 3 : row + 4, col - 3 : col + 4] = (250, 120, 40)
        frame[row, col] = (40, 200, 250)
        return {"frame": frame, "state": np.array([*self.place, 1.0], np.float32)}


def build(frame_size: tuple[int, int] = SIZE, held_out: bool = False) -> Slider:
    """Build it as a registry's entry does; its frames have one size."""
    return Slider()
