"""The pushing table: a robot arm with a finger, one to four objects, and fixed cameras.

This file says what an action does and what a frame shows; the simulator itself is `bullet.py`.
The arm is a Franka Panda, and invisible walls keep the objects on the table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import cv2
import gymnasium
import numpy as np
from jaxtyping import Float, Int, UInt8

from visual_foresight.env_info import EnvInfo, View, require_views
from visual_foresight.envs.camera import Camera
from visual_foresight.envs.pushing.bullet import (
    FINGER_LENGTH_M,
    REST_POSE,
    BodyState,
    Bullet,
    Rendering,
    to_local,
    to_world,
)
from visual_foresight.envs.pushing.cameras import (
    MOUNTS,
    SUPERSAMPLING,
    calibration_of,
    camera_of,
)
from visual_foresight.envs.pushing.objects import ObjectSpec, random_spec
from visual_foresight.envs.pushing.table import table_boxes, table_image
from visual_foresight.types import Observation, Pixel, UserError, Workspace

TIMESTEP_S = 0.01
# Physics steps per action, 0.16 s: at 4 cm per action, an object that is pushed slides on by less
# than 1 cm.
SUBSTEPS = 16
MAX_OBJECTS = 4
BACKGROUND, ARM = -1, -2  # what `PushEnv.segment` calls pixels that show no object
SPAWN_GAP_M = 0.09  # between the centres of objects, and from the fingertip
PUSH_HEIGHT_M = 0.015  # of the fingertip, where actions are planar


@dataclass(frozen=True)
class Variant:
    """What an action means, and the finger that fits it."""

    workspace: Workspace
    """Limits of (x, y), or of (x, y, z, yaw)."""
    finger: str
    """URDF geometry."""


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
    """A physical point, fixed to a body."""

    kind: str
    """Either "object", "arm" or "background"."""
    index: int
    """Number of the object, or of the arm's link."""
    local: tuple[float, float, float]
    """In the frame of that body (metres); in the world for the background."""


@dataclass(frozen=True)
class Snapshot:
    """The whole state of the world: objects, poses and velocities."""

    specs: tuple[ObjectSpec, ...]
    joints: tuple[tuple[float, float], ...]
    """(angle, velocity) of the arm's joints."""
    commanded: tuple[float, ...]
    """Where the fingertip was sent last."""
    bodies: tuple[BodyState, ...]


class PushEnv(gymnasium.Env[dict[str, Any], Any]):
    """Push objects over a table.

    Actions in [-1, 1] displace the commanded fingertip by up to `workspace.step`. Observation:
    {"frame": uint8 `h w 3`, "state": float32 (x, y, z, yaw) of the measured fingertip, metres and
    radians}; of several views, "frames" has a frame for each name. Judges mean pixels of the first
    view. The reward is always 0, because goals belong to the planner, and episodes have no end.

    Args:
        frame_size: (height, width) in pixels.
        held_out: use objects of the held-out kinds, which training episodes never show.
        variant: what an action means.
        views: names of cameras, see `cameras.MOUNTS`.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012  (gymnasium's own name and type)
    render_mode = "rgb_array"
    renderer = f"TinyRenderer of pybullet {version('pybullet')}"

    def __init__(
        self,
        frame_size: tuple[int, int] = (64, 64),
        held_out: bool = False,
        variant: Variant = PLANAR,
        views: Sequence[str] = ("front",),
    ) -> None:
        height, width = frame_size
        if min(height, width) < 16 or max(height, width) > 512:
            raise UserError(
                "a frame of 16 to 512 pixels a side is needed, "
                f"got {height}x{width}: choose another size"
            )
        require_views(views, tuple(MOUNTS), "the pushing table")
        cameras = {name: camera_of(name, frame_size) for name in views}
        self.frame_size = frame_size
        self.state_size = 4
        self.workspace = variant.workspace
        self.camera = cameras[views[0]]
        self.homography = calibration_of(self.camera)
        self.info = EnvInfo(
            views={name: _view(camera) for name, camera in cameras.items()},
            action_size=self.workspace.action_size,
            state_size=self.state_size,
            workspace=self.workspace,
            renderer=self.renderer,
        )
        self._held_out = held_out
        self._bullet = Bullet(variant.finger, TIMESTEP_S, table_boxes())
        self._specs: tuple[ObjectSpec, ...] = ()
        self._commanded: tuple[float, ...] = ()
        self._renderings: dict[str, Rendering] = {}
        self._cameras = {name: each.scaled(SUPERSAMPLING) for name, each in cameras.items()}
        self._backgrounds = {name: table_image(each) for name, each in self._cameras.items()}
        size = len(self.workspace.low)
        self.action_space = gymnasium.spaces.Box(-1, 1, (size,), np.float32)
        frame = gymnasium.spaces.Box(0, 255, (height, width, 3), np.uint8)
        frames = gymnasium.spaces.Dict(dict.fromkeys(views, frame))
        self.observation_space = gymnasium.spaces.Dict(
            {
                **({"frame": frame} if len(views) == 1 else {"frames": frames}),
                "state": gymnasium.spaces.Box(-4, 4, (self.state_size,), np.float32),
            }
        )

    # --- gymnasium ----------------------------------------------------------------------------

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Put new objects on the table, and the fingertip at a free place.

        Args:
            seed: decides the whole scene.
            options: {"num_objects": 1 to 4}; drawn at random when absent.

        Raises:
            UserError: the number of objects is out of range.
        """
        super().reset(seed=seed)
        rng = self.np_random
        wanted = (options or {}).get("num_objects")
        count = int(rng.integers(1, MAX_OBJECTS + 1) if wanted is None else wanted)
        if not 1 <= count <= MAX_OBJECTS:
            raise UserError(
                f"1 to {MAX_OBJECTS} objects fit on the table, got {count}: choose another number"
            )
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
        # Inverse kinematics start from the arm's present pose; a few rounds are needed to converge.
        for _ in range(4):
            angles = self._bullet.inverse_kinematics(home[:3], home[3])
            self._bullet.set_joints([(angle, 0.0) for angle in angles])
        self._bullet.drive(angles, 40)  # objects come to rest
        self._renderings = {}
        return self.observe().parts(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move, then observe."""
        self.move(action)
        return self.observe().parts(), 0.0, False, False, {}

    def render(self) -> UInt8[np.ndarray, "h w 3"]:  # type: ignore[override]
        """Return the frame."""
        return self.observe().frame

    def close(self) -> None:
        """Free the simulator."""
        self._bullet.close()

    # --- acting and observing -----------------------------------------------------------------

    def move(self, action: Any) -> None:
        """Carry out an action without rendering: what `step` does, at the physics' speed."""
        size = len(self.workspace.low)
        wanted = np.asarray(action, np.float64)
        if wanted.shape != (size,) or not np.isfinite(wanted).all():
            raise UserError(
                f"an action of {size} finite numbers in [-1, 1] is needed, got {action}: give one"
            )
        reached = np.asarray(self._commanded) + np.clip(wanted, -1, 1) * self.workspace.step
        feasible = np.clip(reached, self.workspace.low, self.workspace.high)
        self._commanded = tuple(feasible.tolist())
        planar = size == 2
        x, y, z, yaw = (*self._commanded, PUSH_HEIGHT_M, 0.0) if planar else self._commanded
        self._bullet.drive(self._bullet.inverse_kinematics((x, y, z), yaw), SUBSTEPS)
        self._renderings = {}

    def observe(self) -> Observation:
        """Return the present frames and the fingertip's measured state."""
        frames = {
            name: _averaged(_compose(self._render(name), background), self.frame_size)
            for name, background in self._backgrounds.items()
        }
        position, yaw = self._bullet.fingertip()
        return Observation(frames, np.array([*position, yaw], np.float32))

    def draw(self, scale: int) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
        """Return the scene larger than the frame, without supersampling.

        See `interfaces.Drawable`.
        """
        camera = self.camera.scaled(scale)
        return _compose(self._bullet.render(camera), table_image(camera))

    def _render(self, view: str) -> Rendering:
        if view not in self._renderings:
            self._renderings[view] = self._bullet.render(self._cameras[view])
        return self._renderings[view]

    def _main_rendering(self) -> Rendering:
        return self._render(next(iter(self._cameras)))

    # --- for judges ---------------------------------------------------------------------------

    def save(self) -> Snapshot:
        """Return a picklable snapshot.

        This world is then rebuilt from it, so that its future and the snapshot's are the same bit
        for bit.
        """
        bodies = tuple(self._bullet.get_body(body) for body in self._bullet.objects)
        snapshot = Snapshot(self._specs, self._bullet.get_joints(), self._commanded, bodies)
        self.restore(snapshot)
        return snapshot

    def restore(self, snapshot: Snapshot, exact: bool = True) -> None:
        """Return to a snapshot of this env, or of another with the same settings.

        Args:
            snapshot: what `save` returned.
            exact: build the world anew (7 ms), so that the same actions give the same frames bit
                for bit. Otherwise set poses and velocities in the present world: 100 times as
                fast, but poses may differ by up to half a millimetre after 12 actions in contact.
        """
        if exact or snapshot.specs != self._specs:
            self._bullet.rebuild(snapshot.specs)
        self._specs = snapshot.specs
        self._commanded = snapshot.commanded
        self._bullet.set_joints(snapshot.joints)
        for body, state in zip(self._bullet.objects, snapshot.bodies, strict=True):
            self._bullet.set_body(body, state)
        self._renderings = {}

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the objects' poses: position in metres, quaternion x y z w."""
        states = [self._bullet.get_body(body) for body in self._bullet.objects]
        return np.array([[*state.position, *state.orientation] for state in states])

    def segment(self) -> Int[np.ndarray, "drawn_h drawn_w"]:
        """Return what each pixel shows: the number of an object, `ARM`, or `BACKGROUND`.

        There are `SUPERSAMPLING` pixels per side of a frame's pixel.
        """
        body = self._main_rendering().body
        shown = np.full(body.shape, BACKGROUND)
        shown[body == self._bullet.arm] = ARM
        for number, object_body in enumerate(self._bullet.objects):
            shown[body == object_body] = number
        return shown

    def empty_frame(self) -> UInt8[np.ndarray, "h w 3"]:
        """Return the frame of a table with nothing on it, not even the arm."""
        return _averaged(next(iter(self._backgrounds.values())), self.frame_size)

    def pick(self, pixel: Pixel) -> Point:
        """Return the physical point seen at a pixel.

        Raises:
            UserError: the pixel is outside the frame.
        """
        height, width = self.frame_size
        if not pixel.inside(height, width):
            raise UserError(
                f"a pixel inside the {height}x{width} frame is needed, got {pixel}: choose another"
            )
        rendering = self._main_rendering()
        row = int((pixel.row + 0.5) * SUPERSAMPLING)
        col = int((pixel.col + 0.5) * SUPERSAMPLING)
        body = int(rendering.body[row, col])
        if body < 0:
            return Point("background", 0, tuple(self.camera.on_plane(pixel).tolist()))
        world = self.camera.unproject(pixel, float(rendering.depth_m[row, col]))
        if body == self._bullet.arm:
            link = int(rendering.link[row, col])
            local = to_local(self._bullet.link_pose(body, link), world)
            return Point("arm", link, tuple(local.tolist()))
        local = to_local(self._bullet.link_pose(body, -1), world)
        return Point("object", self._bullet.objects.index(body), tuple(local.tolist()))

    def where(self, point: Point) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return the present place of a picked point: in the frame, and in the world (metres).

        The place in the frame does not depend on whether the point is hidden.
        """
        world = np.array(point.local)
        if point.kind == "arm":
            world = to_world(self._bullet.link_pose(self._bullet.arm, point.index), world)
        elif point.kind == "object":
            body = self._bullet.objects[point.index]
            world = to_world(self._bullet.link_pose(body, -1), world)
        return self.camera.project(world), world

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen."""
        return self.camera.project(world)


def _view(camera: Camera) -> View:
    rows = calibration_of(camera).tolist()
    return View((camera.height, camera.width), tuple(tuple(row) for row in rows))


SpatialPushEnv = partial(PushEnv, variant=SPATIAL)
"""The pushing table whose fingertip also moves up and down, and turns."""


def _free_places(
    rng: np.random.Generator, count: int, workspace: Workspace
) -> list[tuple[float, float]]:
    """Draw places on the table (metres) that keep `SPAWN_GAP_M` from one another."""
    margin = np.array([0.03, 0.03])
    low = np.array(workspace.low[:2]) + margin
    high = np.array(workspace.high[:2]) - margin
    while True:
        places = rng.uniform(low, high, (count, 2))
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + np.eye(count)
        if gaps.min() > SPAWN_GAP_M:
            return [(float(x), float(y)) for x, y in places]


def _compose(
    rendering: Rendering, background: UInt8[np.ndarray, "drawn_h drawn_w 3"]
) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
    """Return what was rendered, in front of a background."""
    shown = (rendering.body >= 0).view(np.uint8)
    return cv2.copyTo(rendering.image, shown, background.copy())


def _averaged(
    image: UInt8[np.ndarray, "drawn_h drawn_w 3"], size: tuple[int, int]
) -> UInt8[np.ndarray, "h w 3"]:
    """Return an image reduced to (height, width)."""
    return cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
