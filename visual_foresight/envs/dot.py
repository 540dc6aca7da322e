"""The dot: a coloured square that actions move over plain ground. The smallest env.

It serves tests, the tutorial, and measurements of occlusion: other squares may rest on the
ground, and the dot passes over them. Imitate it for a new env. Every length is a whole number of
pixels, and a pixel's side in metres is a power of two, so results that should be equal are equal
bit for bit.
"""

import colorsys
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

from visual_foresight.env_info import EnvInfo, View
from visual_foresight.types import Observation, Pixel, UserError, Workspace

PIXEL_M = 1 / 128  # about 0.8 cm, as in the pushing env
STEP_PX = 4  # how far one unit of action moves the dot
HALF_PX = 2.5  # half the side of a square, which covers 5 pixels
GROUND = (128, 128, 128)
MIN_SIDE_PX = 8  # of a frame
MAX_SQUARES = 20
# The contrast of squares at rest, as a share of the dot's: one frame tells the dot from them.
RESTING_CONTRAST = 0.5
TRAINING_HUES, HELD_OUT_HUES = (0.0, 0.45), (0.55, 0.75)


@dataclass(frozen=True)
class Square:
    """A square on the ground."""

    place_m: tuple[float, float]
    """(x, y) of its centre."""
    color: tuple[int, int, int]


@dataclass(frozen=True)
class Point:
    """A physical point that was picked in a frame."""

    kind: str
    """Either "object" (any square) or "background"."""
    offset_m: tuple[float, float]
    """From the dot's centre when it is on the dot, otherwise from the origin."""
    on_dot: bool


@dataclass(frozen=True)
class Snapshot:
    """The whole state of the world."""

    dot: Square
    resting: tuple[Square, ...] = ()
    """The squares that rest on the ground; later ones cover earlier ones."""


class DotEnv(gymnasium.Env[dict[str, Any], Any]):
    """Move a dot over squares that rest.

    The camera looks straight down: x points down the frame, y to the right, and (0, 0) is the
    centre of the first pixel. An action (dx, dy) in [-1, 1] moves the dot by up to 4 pixels per
    axis; the whole dot stays inside the frame. Observation: {"frame": uint8 `h w 3`, "state":
    float32 (x, y) of the dot's centre in metres}. The reward is 0.

    Args:
        frame_size: (height, width) in pixels; one pixel is 1/128 m, so a larger frame shows a
            larger world.
        held_out: use colours that no training episode shows (blues; the others are reds to
            greens).
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012  (gymnasium's own name and type)
    render_mode = "rgb_array"
    renderer = "numpy"

    def __init__(self, frame_size: tuple[int, int] = (64, 64), held_out: bool = False) -> None:
        height, width = frame_size
        if min(height, width) < MIN_SIDE_PX:
            raise UserError(
                f"a frame of {MIN_SIDE_PX} pixels a side or more is needed, "
                f"got {height}x{width}: choose another size"
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
        rows = tuple(tuple(row) for row in self.homography.tolist())
        self.info = EnvInfo(
            views={"top": View((height, width), rows)},
            action_size=self.workspace.action_size,
            state_size=self.state_size,
            workspace=self.workspace,
            renderer=self.renderer,
        )
        self._hues = HELD_OUT_HUES if held_out else TRAINING_HUES
        self._now = Snapshot(Square((margin * PIXEL_M, margin * PIXEL_M), GROUND))
        low = np.array(self.workspace.low, np.float32)
        high = np.array(self.workspace.high, np.float32)
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
        """Put squares of random colours at the centres of random pixels, the dot on top.

        Args:
            seed: decides the scene.
            options: {"num_objects": count}, the dot and the squares at rest together; without
                it, there is the dot alone.

        Raises:
            UserError: the number of objects is out of range.
        """
        super().reset(seed=seed)
        count = (options or {}).get("num_objects")
        if count is not None and not 1 <= count <= MAX_SQUARES:
            raise UserError(
                f"1 (the dot) to {MAX_SQUARES} objects can be had, got "
                f"num_objects = {count}: choose another number"
            )
        dot = self._random_square(contrast=1.0)
        num_resting = (count or 1) - 1
        resting = [self._random_square(RESTING_CONTRAST) for _ in range(num_resting)]
        self._now = Snapshot(dot, tuple(resting))
        return self._observation(), {}

    def _random_square(self, contrast: float) -> Square:
        """Return a square of a random hue at the centre of a random pixel.

        Its colour lies at this share of the way from the ground's grey to the pure hue.
        """
        low = np.round(np.array(self.workspace.low) / PIXEL_M).astype(int)
        high = np.round(np.array(self.workspace.high) / PIXEL_M).astype(int)
        row, col = self.np_random.integers(low, high, endpoint=True)
        hue = self.np_random.uniform(*self._hues)
        red, green, blue = colorsys.hsv_to_rgb(hue, 1.0, 1.0)
        color = (_mixed(red, contrast), _mixed(green, contrast), _mixed(blue, contrast))
        return Square((float(row * PIXEL_M), float(col * PIXEL_M)), color)

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move, then observe."""
        self.move(action)
        return self._observation(), 0.0, False, False, {}

    def move(self, action: Any) -> None:
        """Carry out an action without rendering."""
        wanted = np.asarray(action, np.float64)
        if wanted.shape != (2,) or not np.isfinite(wanted).all():
            raise UserError(
                f"an action of 2 finite numbers in [-1, 1] is needed, got {action}: give one"
            )
        reached = np.array(self._now.dot.place_m) + np.clip(wanted, -1, 1) * self.workspace.step
        x, y = np.clip(reached, self.workspace.low, self.workspace.high)
        self._now = replace(self._now, dot=replace(self._now.dot, place_m=(float(x), float(y))))

    def render(self) -> UInt8[np.ndarray, "h w 3"]:  # type: ignore[override]
        """Return the frame."""
        return self.observe().frame

    # --- observing ----------------------------------------------------------------------------

    def observe(self) -> Observation:
        """Return the present frame, and where the dot is.

        In a pixel that a square covers in part, its colour has this share.
        """
        height, width = self.frame_size
        frame = np.full((height, width, 3), GROUND, np.float64)
        for square in (*self._now.resting, self._now.dot):
            x, y = square.place_m
            rows = _coverage(x / PIXEL_M, height)
            cols = _coverage(y / PIXEL_M, width)
            share = (rows[:, None] * cols)[..., None]
            frame += share * (np.array(square.color) - frame)
        return Observation.single(
            np.round(frame).astype(np.uint8), np.array(self._now.dot.place_m, np.float32)
        )

    def _observation(self) -> dict[str, Any]:
        return self.observe().parts()

    # --- for judges ---------------------------------------------------------------------------

    def save(self) -> Snapshot:
        """Return a picklable snapshot."""
        return self._now

    def restore(self, snapshot: Snapshot, exact: bool = True) -> None:
        """Return to a snapshot of this env, or of another with this frame size; always exact."""
        self._now = snapshot

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the poses of the dot, then of the squares at rest (metres, quaternion x y z w)."""
        squares = (self._now.dot, *self._now.resting)
        return np.array([[*square.place_m, 0, 0, 0, 0, 1] for square in squares], np.float64)

    def pick(self, pixel: Pixel) -> Point:
        """Return the physical point seen at a pixel: on a square, or on the ground.

        Raises:
            UserError: the pixel is outside the frame.
        """
        height, width = self.frame_size
        if not pixel.inside(height, width):
            raise UserError(
                f"a pixel inside the {height}x{width} frame is needed, got {pixel}: choose another"
            )
        place_m = (pixel.row * PIXEL_M, pixel.col * PIXEL_M)
        if _covers(self._now.dot, place_m):
            x, y = np.subtract(place_m, self._now.dot.place_m)
            return Point("object", (float(x), float(y)), on_dot=True)
        on_square = any(_covers(square, place_m) for square in self._now.resting)
        return Point("object" if on_square else "background", place_m, on_dot=False)

    def where(self, point: Point) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return the present place of a picked point: in the frame, and in the world (metres)."""
        origin = self._now.dot.place_m if point.on_dot else (0.0, 0.0)
        world = np.array([*np.add(origin, point.offset_m), 0.0], np.float64)
        return self.project(world), world

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen."""
        return Pixel(float(world[0] / PIXEL_M), float(world[1] / PIXEL_M))


def _mixed(part: float, contrast: float) -> int:
    """Return a colour channel: `part` (0 to 1) of the pure hue, mixed into the ground's grey."""
    grey = GROUND[0]
    return round(grey + contrast * (255 * part - grey))


def _covers(square: Square, place_m: tuple[float, float]) -> bool:
    """Tell whether a place (x, y) on the ground lies under a square."""
    offset_m = np.subtract(place_m, square.place_m)
    return bool(np.abs(offset_m).max() <= HALF_PX * PIXEL_M)


def _coverage(center_px: float, count: int) -> Float[np.ndarray, " count"]:
    """Return which share of each of `count` pixels in a line a square covers."""
    pixels = np.arange(count)
    begin = np.maximum(pixels - 0.5, center_px - HALF_PX)
    end = np.minimum(pixels + 0.5, center_px + HALF_PX)
    return (end - begin).clip(0, 1)
