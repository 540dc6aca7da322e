"""The world `puck`: a round finger pushes a disc about on a plane, seen from above.

A plain Gymnasium env, which is all that a world must be. It has no judge (it tells nobody where
the disc truly is), no snapshots and no calibration: as much as a robot has whose camera somebody
has put up somewhere.
"""

from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

PIXEL_M = 0.005  # side of a pixel on the plane, in metres: a larger frame shows a larger plane
FINGER_M, DISC_M = 0.02, 0.06  # radii
STEP_M = 0.02  # how far an action of 1 moves the finger
NUM_PARTS = 8  # of a step: the finger pushes after each
GROUND, FINGER, DISC, MARK = (60, 62, 66), (20, 90, 200), (220, 120, 30), (250, 230, 120)


class Puck(gymnasium.Env[dict[str, Any], Any]):
    """An action (dx, dy), each in [-1, 1], moves the finger by up to 2 cm an axis.

    Observation: "frame", uint8 `h w 3`, and "state", float32 (x, y) of the finger in metres; x is
    down the frame, y to its right. The reward is how far the disc was moved, in metres.

    Args:
        frame_size: (height, width) in pixels. Whoever builds the env asks for one; a world whose
            frames have one size leaves the parameter out.
    """

    def __init__(self, frame_size: tuple[int, int] = (64, 64)) -> None:
        self.size_m = np.array(frame_size) * PIXEL_M
        self.finger = self.disc = self.size_m / 2
        pixels = gymnasium.spaces.Box(0, 255, (*frame_size, 3), np.uint8)
        place = gymnasium.spaces.Box(0, float(self.size_m.max()), (2,), np.float32)
        self.observation_space = gymnasium.spaces.Dict({"frame": pixels, "state": place})
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put the disc somewhere, and the finger near it, so that it is soon touched."""
        super().reset(seed=seed)
        self.disc = self.np_random.uniform(1.5 * DISC_M, self.size_m - 1.5 * DISC_M)
        away_m = self.np_random.uniform(1.1, 1.5) * (FINGER_M + DISC_M)
        angle = self.np_random.uniform(0, 2 * np.pi)
        finger = self.disc + away_m * np.array([np.cos(angle), np.sin(angle)])
        self.finger = apart(finger.clip(FINGER_M, self.size_m - FINGER_M), self.disc)
        return self._observation(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move the finger, which pushes the disc out of its way, then look."""
        before = self.disc
        for _ in range(NUM_PARTS):
            moved = self.finger + np.clip(action, -1, 1) * STEP_M / NUM_PARTS
            self.finger = moved.clip(FINGER_M, self.size_m - FINGER_M)
            self.disc = apart(self.disc, self.finger).clip(DISC_M, self.size_m - DISC_M)
            self.finger = apart(self.finger, self.disc)  # a disc at the edge does not give way
        return self._observation(), float(np.linalg.norm(self.disc - before)), False, False, {}

    def _observation(self) -> dict[str, Any]:
        return {"frame": self._frame(), "state": self.finger.astype(np.float32)}

    def _frame(self) -> UInt8[np.ndarray, "h w 3"]:
        """Draw the plane; a pixel that a circle covers in part has part of its colour."""
        height, width = np.round(self.size_m / PIXEL_M).astype(int)
        rows, cols = np.indices((height, width)) + 0.5
        frame = np.full((height, width, 3), GROUND, np.float64)
        mark = self.disc - (0.4 * DISC_M, 0)  # without it nobody could tell how the disc lies
        for place, radius_m, color in (
            (self.disc, DISC_M, DISC),
            (mark, 0.4 * DISC_M, MARK),
            (self.finger, FINGER_M, FINGER),
        ):
            row, col = place / PIXEL_M
            away_px = np.hypot(rows - row, cols - col)[..., None]
            share = (radius_m / PIXEL_M - away_px + 0.5).clip(0, 1)
            frame += share * (np.array(color) - frame)
        return frame.round().astype(np.uint8)


def apart(
    place: Float[np.ndarray, "2"], other: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "2"]:
    """Return the place nearest to `place` at which disc and finger do not overlap."""
    offset = place - other
    distance_m = float(np.linalg.norm(offset))
    if distance_m == 0 or distance_m >= FINGER_M + DISC_M:
        return place
    return np.asarray(other + offset * (FINGER_M + DISC_M) / distance_m)
