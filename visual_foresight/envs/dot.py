"""A coloured square that goes where the action says, on a plain ground: the smallest env, with
exact answers.

For tests, the tutorial, and what an occlusion does to a predictor: other squares may rest on
the ground, and the dot passes over them. It is the neighbour to imitate for a new env; every
length in it is a whole number of pixels and a pixel is a power of two, so what should be equal
is equal bit for bit.
"""

import colorsys
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

from visual_foresight.types import Observation, Pixel, UserError, Workspace

PIXEL_M = 1 / 128  # about 0.8 cm, as in the pushing env
STEP_PX = 4  # how far one unit of action goes
HALF_PX = 2.5  # half the side of a square: it covers 5 pixels
GROUND = (128, 128, 128)
MIN_SIDE_PX = 8
MOST_SQUARES = 20
FAINT = 0.5  # how strong the colours of what rests are: one frame tells the dot from it


@dataclass(frozen=True)
class Square:
    """Where one is (x, y of its middle, metres), and its colour."""

    place_m: tuple[float, float]
    color: tuple[int, int, int]


@dataclass(frozen=True)
class Point:
    """A physical point: on the dot (`offset_m` from its centre), or on what rests (`offset_m` from the origin)."""

    kind: str
    offset_m: tuple[float, float]
    on_dot: bool
    """Whether it is on the dot."""


@dataclass(frozen=True)
class Snapshot:
    """All that decides the future.

    The dot, and the squares that rest on the ground, those on top last.
    """

    dot: Square
    resting: tuple[Square, ...] = ()


class DotEnv(gymnasium.Env[dict[str, Any], Any]):
    """Move a dot, over what rests. The camera looks straight down: x is down the frame, y
    right; (0, 0) is the first pixel.

    An action (dx, dy) in [-1, 1] moves the dot by up to 4 pixels a side; it never leaves the
    frame, not even in part. Observation: {"frame": uint8 `h w 3`, "state": float32 (x, y) of
    the dot's centre in metres}. The reward is 0.

    Args:
        frame_size: (height, width) in pixels; one pixel is 1/128 m, so a larger frame shows a
            larger world.
        held_out: colours that no training episode shows (blues; the others are greens to reds).
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012  (gymnasium's own name and type)
    render_mode = "rgb_array"
    renderer = "numpy"

    def __init__(self, frame_size: tuple[int, int] = (64, 64), held_out: bool = False) -> None:
        height, width = frame_size
        if min(height, width) < MIN_SIDE_PX:
            raise UserError(
                f"a frame of {MIN_SIDE_PX} pixels a side or more is needed, got {height}x{width}: choose another size"
            )
        self.frame_size = (height, width)
        self.state_size = 2
        margin = int(HALF_PX)
        self.workspace = Workspace(
            low=(margin * PIXEL_M, margin * PIXEL_M),
            high=((height - 1 - margin) * PIXEL_M, (width - 1 - margin) * PIXEL_M),
            step=(STEP_PX * PIXEL_M, STEP_PX * PIXEL_M),
        )
        self.homography = np.diag([PIXEL_M, PIXEL_M, 1.0])
        self._held_out = held_out
        self._now = Snapshot(Square((margin * PIXEL_M, margin * PIXEL_M), GROUND))
        low, high = (
            np.array(limit, np.float32) for limit in (self.workspace.low, self.workspace.high)
        )
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "frame": gymnasium.spaces.Box(0, 255, (height, width, 3), np.uint8),
                "state": gymnasium.spaces.Box(low, high, dtype=np.float32),
            }
        )

    # --- gymnasium ----------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put squares of new colours onto the middles of random pixels: the dot on top, and
        what rests, fainter than it.

        Args:
            seed: decides the scene.
            options: {"num_objects": count}, the dot and squares that rest; or nothing: there is
                the dot alone.
        """
        super().reset(seed=seed)
        count = (options or {}).get("num_objects")
        if count is not None and not 1 <= count <= MOST_SQUARES:
            raise UserError(
                f"1 (the dot) to {MOST_SQUARES} objects can be had, got num_objects = {count}"
            )
        dot = self._drawn(1.0)
        self._now = Snapshot(dot, tuple(self._drawn(FAINT) for _ in range((count or 1) - 1)))
        return self._observation(), {}

    def _drawn(self, strength: float) -> Square:
        """Return a square of a random hue, so far from the ground's grey, on the middle of a random pixel."""
        low, high = (
            np.round(np.array(limit) / PIXEL_M)
            for limit in (self.workspace.low, self.workspace.high)
        )
        row, col = self.np_random.integers(low.astype(int), high.astype(int), endpoint=True)
        hue = self.np_random.uniform(*((0.55, 0.75) if self._held_out else (0.0, 0.45)))
        vivid = zip(colorsys.hsv_to_rgb(hue, 1.0, 1.0), GROUND, strict=True)
        red, green, blue = (
            round(grey + strength * (255 * part - grey)) for part, grey in vivid
        )
        return Square((float(row * PIXEL_M), float(col * PIXEL_M)), (red, green, blue))

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move, then look."""
        self.move(action)
        return self._observation(), 0.0, False, False, {}

    def move(self, action: Any) -> None:
        """Carry out an action without looking."""
        wanted = np.asarray(action, np.float64)
        if wanted.shape != (2,) or not np.isfinite(wanted).all():
            raise UserError(f"an action of 2 finite numbers in [-1, 1] is needed, got {action}")
        reached = np.array(self._now.dot.place_m) + np.clip(wanted, -1, 1) * self.workspace.step
        x, y = np.clip(reached, self.workspace.low, self.workspace.high)
        self._now = replace(self._now, dot=replace(self._now.dot, place_m=(float(x), float(y))))

    def render(self) -> UInt8[np.ndarray, "h w 3"]:  # type: ignore[override]
        """Return the frame."""
        return self.observe().frame

    # --- seeing -------------------------------------------------------------------------------

    def observe(self) -> Observation:
        """Return the frame and the dot's place now.

        A pixel that a square covers in part has its share of the colour.
        """
        frame = np.full((*self.frame_size, 3), GROUND, np.float64)
        for square in (*self._now.resting, self._now.dot):
            rows, cols = (
                _coverage(place / PIXEL_M, count)
                for place, count in zip(square.place_m, self.frame_size, strict=True)
            )
            share = (rows[:, None] * cols)[..., None]
            frame += share * (np.array(square.color) - frame)
        return Observation(
            np.round(frame).astype(np.uint8), np.array(self._now.dot.place_m, np.float32)
        )

    def _observation(self) -> dict[str, Any]:
        observation = self.observe()
        return {"frame": observation.frame, "state": observation.state}

    # --- for judges ---------------------------------------------------------------------------

    def save(self) -> Snapshot:
        """Return a picklable snapshot."""
        return self._now

    def restore(self, snapshot: Snapshot, exact: bool = True) -> None:
        """Return to a snapshot of this env or of another one of this frame size; always exact."""
        self._now = snapshot

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the poses of the dot and of what rests: position in metres, quaternion x y z w."""
        squares = (self._now.dot, *self._now.resting)
        return np.array([[*square.place_m, 0, 0, 0, 0, 1] for square in squares], np.float64)

    def pick(self, pixel: Pixel) -> Point:
        """Return the physical point seen at a pixel.

        On a square (kind "object"), or on the ground ("background").
        """
        if not pixel.inside(*self.frame_size):
            raise UserError(
                f"a pixel inside the {self.frame_size[0]}x{self.frame_size[1]} frame is needed, got {pixel}"
            )
        place = (pixel.row * PIXEL_M, pixel.col * PIXEL_M)
        (x, y), *others = (
            np.subtract(place, square.place_m) for square in (self._now.dot, *self._now.resting)
        )
        if max(abs(x), abs(y)) <= HALF_PX * PIXEL_M:
            return Point("object", (float(x), float(y)), on_dot=True)
        rests = any(np.abs(offset).max() <= HALF_PX * PIXEL_M for offset in others)
        return Point("object" if rests else "background", place, on_dot=False)

    def where(self, point: Point) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return where a picked point is now: in the frame, and in the world (metres)."""
        origin = self._now.dot.place_m if point.on_dot else (0.0, 0.0)
        world = np.array([*np.add(origin, point.offset_m), 0.0], np.float64)
        return self.project(world), world

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen."""
        return Pixel(float(world[0] / PIXEL_M), float(world[1] / PIXEL_M))


def _coverage(center_px: float, count: int) -> Float[np.ndarray, " count"]:
    """Return which share of each of `count` pixels in a line a square covers."""
    pixels = np.arange(count)
    overlap = np.minimum(pixels + 0.5, center_px + HALF_PX) - np.maximum(
        pixels - 0.5, center_px - HALF_PX
    )
    return overlap.clip(0, 1)
