"""The pushing table: a Franka Panda with a finger, one to four objects between invisible walls,
and a fixed camera.

What an action does and what a frame shows is here; the simulator itself is `bullet.py`.
`truth`, `pick`, `where` and `project` are for judges: a controller never holds an Env.
"""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import cv2
import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

from visual_foresight.envs.camera import Camera
from visual_foresight.envs.pushing.bullet import (
    FINGER_LENGTH_M,
    REST_POSE,
    BodyState,
    Box,
    Bullet,
    Glimpse,
    to_local,
    to_world,
)
from visual_foresight.envs.pushing.objects import ObjectSpec, random_spec
from visual_foresight.types import Observation, Pixel, UserError, Workspace

# metres, x away from the robot, y to its left
TABLE_LOW, TABLE_HIGH = (0.34, -0.22), (0.74, 0.22)
SUPERSAMPLING = 2  # drawn so many times larger, then averaged, against aliasing
# TinyRenderer takes what it draws from a corner of each pixel: its pictures are half a drawn
# pixel too far up and right.
OFF_PX = 0.5 / SUPERSAMPLING
TIMESTEP_S = 0.01
# an action lasts 0.16 s: 4 cm at 0.25 m/s, so slow that a pushed object slides less than 1 cm
SUBSTEPS = 16
MAX_OBJECTS = 4
SPAWN_GAP_M = 0.09  # between centres of objects, and from the fingertip
TABLE_COLOR, MARGIN_COLOR, LINE_COLOR = (176, 150, 122), (120, 122, 126), (90, 74, 58)


@dataclass(frozen=True)
class Variant:
    """What an action is: the limits of (x, y[, z, yaw]) and the shape of the finger (URDF geometry)."""

    workspace: Workspace
    finger: str


PUSH_HEIGHT_M = 0.015
# of what a designated pixel shows, as a rule: the tops of objects are at 3 to 4.5 cm
TOUCH_HEIGHT_M = 0.03
PLANAR = Variant(
    Workspace(low=(0.36, -0.20), high=(0.72, 0.20), step=(0.04, 0.04)),
    f'<cylinder radius="0.012" length="{FINGER_LENGTH_M}"/>',
)
SPATIAL = Variant(
    Workspace(
        low=(0.36, -0.20, 0.015, -1.2),
        high=(0.72, 0.20, 0.10, 1.2),
        step=(0.04, 0.04, 0.03, 0.3),
    ),
    f'<box size="0.034 0.016 {FINGER_LENGTH_M}"/>',
)


@dataclass(frozen=True)
class Point:
    """A physical point fixed to a body.

    Object number, arm link, or the table (then `local` is in the world).
    """

    kind: str
    index: int
    local: tuple[float, float, float]


@dataclass(frozen=True)
class Snapshot:
    """All that decides the future: what is on the table, where it is and how it moves."""

    specs: tuple[ObjectSpec, ...]
    joints: tuple[tuple[float, float], ...]
    commanded: tuple[float, ...]
    bodies: tuple[BodyState, ...]


class PushEnv(gymnasium.Env[dict[str, Any], Any]):
    """Push objects over a table. Actions in [-1, 1] displace the commanded fingertip by up to
    `workspace.step` (SI units).

    Observation: {"frame": uint8 `h w 3`, "state": float32 (x, y, z, yaw) of the measured
    fingertip, metres and radians}. The reward is always 0: goals belong to the planner.
    Episodes have no end of their own.

    Args:
        frame_size: (height, width) in pixels.
        held_out: draw objects of the held-out kinds, never seen in training data.
        variant: what an action is.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012  (gymnasium's own name and type)
    render_mode = "rgb_array"
    renderer = f"TinyRenderer of pybullet {version('pybullet')}"

    def __init__(
        self,
        frame_size: tuple[int, int] = (64, 64),
        held_out: bool = False,
        variant: Variant = PLANAR,
    ) -> None:
        height, width = frame_size
        if min(height, width) < 16 or max(height, width) > 512:
            raise UserError(
                f"a frame of 16 to 512 pixels a side is needed, got {height}x{width}: choose another size"
            )
        self.frame_size = frame_size
        self.state_size = 4
        self.workspace = variant.workspace
        # From the other side, 52 degrees up, with the long finger: the arm hides 2.5 % of the
        # objects' pixels (at 62 degrees with a finger of 20 cm: 10 %), and what it hides no
        # predictor can follow.
        self.camera = Camera((1.34, 0.0, 1.03), (0.535, 0.0, 0.0), 22.0, height, width)
        as_seen = np.array([[1.0, 0.0, OFF_PX], [0.0, 1.0, -OFF_PX], [0.0, 0.0, 1.0]])
        self.homography = self.camera.homography(TOUCH_HEIGHT_M) @ as_seen
        self._held_out = held_out
        self._bullet = Bullet(variant.finger, TIMESTEP_S, _table_boxes())
        self._specs: tuple[ObjectSpec, ...] = ()
        self._commanded: tuple[float, ...] = ()
        self._glimpse: Glimpse | None = None
        self._background = _table_image(self.camera.scaled(SUPERSAMPLING))
        size = len(self.workspace.low)
        self.action_space = gymnasium.spaces.Box(-1, 1, (size,), np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {
                "frame": gymnasium.spaces.Box(0, 255, (height, width, 3), np.uint8),
                "state": gymnasium.spaces.Box(-4, 4, (self.state_size,), np.float32),
            }
        )

    # --- gymnasium ----------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Lay out new objects and put the finger at a free place.

        Args:
            seed: decides the whole scene.
            options: {"num_objects": 1 to 4}; drawn when absent.
        """
        super().reset(seed=seed)
        rng = self.np_random
        wanted = (options or {}).get("num_objects")
        count = int(rng.integers(1, MAX_OBJECTS + 1) if wanted is None else wanted)
        if not 1 <= count <= MAX_OBJECTS:
            raise UserError(f"1 to {MAX_OBJECTS} objects fit on the table, got {count}")
        places = _free_places(rng, count + 1, self.workspace)
        self._specs = tuple(random_spec(rng, self._held_out) for _ in range(count))
        self._bullet.rebuild(self._specs)
        for body, place in zip(self._bullet.objects, places[1:], strict=True):
            spin = float(rng.uniform(-np.pi, np.pi))
            upright = (0.0, 0.0, float(np.sin(spin / 2)), float(np.cos(spin / 2)))
            self._bullet.set_body(
                body, BodyState((*place, 0.0225), upright, (0, 0, 0), (0, 0, 0))
            )
        home = (*places[0], PUSH_HEIGHT_M, 0.0)
        self._commanded = home[: len(self.workspace.low)]
        self._bullet.set_joints([(angle, 0.0) for angle in REST_POSE])
        # the solver starts from where the arm is: a few rounds bring it all the way
        for _ in range(4):
            angles = self._bullet.inverse_kinematics(home[:3], home[3])
            self._bullet.set_joints([(angle, 0.0) for angle in angles])
        self._bullet.drive(angles, 40)  # objects come to rest
        self._glimpse = None
        return self._observation(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move, then look."""
        self.move(action)
        return self._observation(), 0.0, False, False, {}

    def render(self) -> UInt8[np.ndarray, "h w 3"]:  # type: ignore[override]
        """Return the frame."""
        return self.observe().frame

    def close(self) -> None:
        """Free the simulator."""
        self._bullet.close()

    # --- acting and seeing --------------------------------------------------------------------

    def move(self, action: Any) -> None:
        """Carry out an action without looking: what `step` does, at the physics' speed."""
        low, high, step = self.workspace.low, self.workspace.high, self.workspace.step
        wanted = np.asarray(action, np.float64)
        if wanted.shape != (len(low),) or not np.isfinite(wanted).all():
            raise UserError(
                f"an action of {len(low)} finite numbers in [-1, 1] is needed, got {action}"
            )
        reached = np.asarray(self._commanded) + np.clip(wanted, -1, 1) * step
        self._commanded = tuple(float(value) for value in np.clip(reached, low, high))
        x, y, z, yaw = (
            (*self._commanded, PUSH_HEIGHT_M, 0.0)[:4] if len(low) == 2 else self._commanded
        )
        self._bullet.drive(self._bullet.inverse_kinematics((x, y, z), yaw), SUBSTEPS)
        self._glimpse = None

    def observe(self) -> Observation:
        """Return the frame and the fingertip's measured state now."""
        frame = self._picture(self._render(), self._background, self.frame_size)
        position, yaw = self._bullet.fingertip()
        return Observation(frame, np.array([*position, yaw], np.float32))

    def draw(self, scale: int) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
        """Return the scene larger than the frame (see `interfaces.Drawable`).

        At that size it needs no supersampling.
        """
        camera = self.camera.scaled(scale)
        size = (self.frame_size[0] * scale, self.frame_size[1] * scale)
        return self._picture(self._bullet.render(camera), _table_image(camera), size)

    @staticmethod
    def _picture(
        seen: Glimpse, background: UInt8[np.ndarray, "drawn_h drawn_w 3"], size: tuple[int, int]
    ) -> UInt8[np.ndarray, "h w 3"]:
        image = cv2.copyTo(seen.image, (seen.body >= 0).view(np.uint8), background.copy())
        return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)

    def _observation(self) -> dict[str, Any]:
        observation = self.observe()
        return {"frame": observation.frame, "state": observation.state}

    def _render(self) -> Glimpse:
        if self._glimpse is None:
            self._glimpse = self._bullet.render(self.camera.scaled(SUPERSAMPLING))
        return self._glimpse

    # --- for judges ---------------------------------------------------------------------------

    def save(self) -> Snapshot:
        """Return a picklable snapshot.

        The world goes on *from the snapshot*, so both futures are the same bit for bit.
        """
        bodies = tuple(self._bullet.get_body(body) for body in self._bullet.objects)
        snapshot = Snapshot(self._specs, self._bullet.get_joints(), self._commanded, bodies)
        self.restore(snapshot)
        return snapshot

    def restore(self, snapshot: Snapshot, exact: bool = True) -> None:
        """Return to a snapshot of this env or of another one of its kind.

        Args:
            snapshot: what `save` returned.
            exact: the same actions then give the same frames bit for bit, for which the world
                is built anew (7 ms). Otherwise poses and speeds are set in the world as it is:
                100 times as fast; after 12 actions in contact poses may differ by up to half a
                millimetre.
        """
        if exact or snapshot.specs != self._specs:
            self._bullet.rebuild(snapshot.specs)
        self._specs = snapshot.specs
        self._commanded = snapshot.commanded
        self._bullet.set_joints(snapshot.joints)
        for body, state in zip(self._bullet.objects, snapshot.bodies, strict=True):
            self._bullet.set_body(body, state)
        self._glimpse = None

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the objects' poses: position in metres, quaternion x y z w."""
        states = [self._bullet.get_body(body) for body in self._bullet.objects]
        return np.array([[*state.position, *state.orientation] for state in states])

    def pick(self, pixel: Pixel) -> Point:
        """Return the physical point seen at a pixel."""
        if not pixel.inside(*self.frame_size):
            raise UserError(
                f"a pixel inside the {self.frame_size[0]}x{self.frame_size[1]} frame is needed, got {pixel}"
            )
        seen = self._render()
        row, col = (int((place + 0.5) * SUPERSAMPLING) for place in (pixel.row, pixel.col))
        body, link = int(seen.body[row, col]), int(seen.link[row, col])
        if body < 0:
            return Point("background", 0, tuple(self.camera.on_plane(pixel).tolist()))
        world = self.camera.unproject(pixel, float(seen.depth_m[row, col]))
        if body == self._bullet.arm:
            return Point(
                "arm", link, tuple(to_local(self._bullet.link_pose(body, link), world).tolist())
            )
        local = to_local(self._bullet.link_pose(body, -1), world)
        return Point("object", self._bullet.objects.index(body), tuple(local.tolist()))

    def where(self, point: Point) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return where a picked point is now.

        In the frame, also when it is hidden, and in the world (metres).
        """
        world = np.array(point.local)
        if point.kind == "arm":
            world = to_world(self._bullet.link_pose(self._bullet.arm, point.index), world)
        elif point.kind == "object":
            world = to_world(
                self._bullet.link_pose(self._bullet.objects[point.index], -1), world
            )
        return self.camera.project(world), world

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen."""
        return self.camera.project(world)


def _table_boxes() -> list[Box]:
    """Return the table top and the four walls around the area."""
    (x0, y0), (x1, y1) = TABLE_LOW, TABLE_HIGH
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    walls = [((x0 - 0.02, y), (0.02, 0.5)), ((x1 + 0.02, y), (0.02, 0.5))]
    walls += [((x, y0 - 0.02), (0.5, 0.02)), ((x, y1 + 0.02), (0.5, 0.02))]
    homography = Box((x, y, -0.05), (0.5, 0.5, 0.05), friction=0.6)
    return [
        homography,
        *(Box((*center, 0.05), (*half, 0.05), friction=0.2) for center, half in walls),
    ]


def _free_places(
    rng: np.random.Generator, count: int, workspace: Workspace
) -> list[tuple[float, float]]:
    """Draw places on the table (metres) that keep `SPAWN_GAP_M` from one another.

    The first is the finger's.
    """
    margin = np.array([0.03, 0.03])
    low, high = np.array(workspace.low[:2]) + margin, np.array(workspace.high[:2]) - margin
    while True:
        places = rng.uniform(low, high, (count, 2))
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(count)
        if gaps.min() > SPAWN_GAP_M:
            return [(float(x), float(y)) for x, y in places]


def _table_image(camera: Camera) -> UInt8[np.ndarray, "h w 3"]:
    """Draw what never moves: a table top with a line around the area, on a grey floor."""
    rows, cols = np.mgrid[: camera.height, : camera.width].astype(np.float64)
    right = (cols - camera.width / 2 + 0.5) / camera.focal_px
    up = (camera.height / 2 - 0.5 - rows) / camera.focal_px
    rays = np.stack([right, up, np.ones_like(up)], -1) @ camera.axes
    x, y = (
        camera.eye[axis] - rays[..., axis] * camera.eye[2] / rays[..., 2] for axis in (0, 1)
    )
    (x0, y0), (x1, y1) = TABLE_LOW, TABLE_HIGH
    # metres beyond the area
    outside = np.maximum(np.maximum(x0 - x, x - x1), np.maximum(y0 - y, y - y1))
    grain = 1 + 0.035 * np.sin(60 * y + 3 * np.sin(9 * x))
    image = np.array(TABLE_COLOR) * grain[..., None]
    image[(outside > 0) & (outside <= 0.008)] = LINE_COLOR
    image[outside > 0.05] = MARGIN_COLOR
    return image.clip(0, 255).astype(np.uint8)
