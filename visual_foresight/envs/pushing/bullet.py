"""One PyBullet client: loads an arm and objects, steps, renders. No other file calls PyBullet.

TinyRenderer draws the arm and the objects of a frame without shadows. The table never moves, so
`env.py` draws it once, as a background: 2.5 times as fast at 128 pixels.
"""

import hashlib
import os
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, UInt8

from visual_foresight.envs.camera import Camera
from visual_foresight.envs.pushing.objects import DATA_FOLDER, ObjectSpec, data_path
from visual_foresight.system.redirect import diverted

with open(os.devnull, "w") as nowhere, diverted(2, nowhere.fileno()):
    import pybullet  # prints its build time to stderr

NUM_JOINTS = 7
REST_POSE = (0.0, 0.3, 0.0, -2.0, 0.0, 2.3, 0.8)
HAND_LINKS = {"panda_hand", "panda_leftfinger", "panda_rightfinger", "panda_grasptarget"}
FINGER_LENGTH_M = 0.3  # long, so that the arm seldom hides what the fingertip pushes


@dataclass(frozen=True)
class BodyState:
    """Pose and velocity of one rigid body, in the world (SI units, quaternion x y z w)."""

    position: tuple[float, ...]
    orientation: tuple[float, ...]
    linear: tuple[float, ...]
    angular: tuple[float, ...]


@dataclass(frozen=True)
class Box:
    """An invisible box that never moves: the table or a wall (metres)."""

    center: tuple[float, float, float]
    half: tuple[float, float, float]
    friction: float


@dataclass(frozen=True)
class Rendering:
    """What the simulator drew, per pixel."""

    image: UInt8[np.ndarray, "h w 3"]
    """Colours; arbitrary where there is no body."""
    depth_m: Float[np.ndarray, "h w"]
    """Along the viewing axis."""
    body: Int[np.ndarray, "h w"]
    """The simulator's number of the body, -1 for none."""
    link: Int[np.ndarray, "h w"]
    """The body's link, -1 for its base or for no body."""


def arm_urdf(finger: str) -> str:
    """Return the URDF of pybullet_data's Franka Panda with a finger in place of its hand.

    Its collision meshes are what is drawn (3,400 faces instead of 100,000: eight times as fast),
    and only the finger collides.

    Args:
        finger: the finger's URDF geometry element, centred on itself, its length along z.
    """
    root = ElementTree.parse(Path(data_path()) / "franka_panda" / "panda.urdf").getroot()
    for element in list(root):
        child = element.find("child")
        name = child.get("link") if child is not None else element.get("name")
        if name in HAND_LINKS:
            root.remove(element)
            continue
        for collision in element.findall("collision"):
            element.remove(collision)
        for visual in element.findall("visual"):
            for material in visual.findall("material"):
                visual.remove(material)
        for mesh in element.iter("mesh"):
            name = mesh.get("filename", "").replace("/visual/", "/collision/")
            mesh.set("filename", name.replace("package://", f"{DATA_FOLDER}/franka_panda/"))
    root.append(_finger_link(finger))
    root.append(
        ElementTree.fromstring(
            '<joint name="finger_joint" type="fixed"><parent link="panda_link8"/>'
            f'<child link="finger"/><origin xyz="0 0 {FINGER_LENGTH_M}"/></joint>'
        )
    )
    return ElementTree.tostring(root, encoding="unicode")


def _finger_link(geometry: str) -> ElementTree.Element:
    body = f'<origin xyz="0 0 {-FINGER_LENGTH_M / 2}"/><geometry>{geometry}</geometry>'
    return ElementTree.fromstring(
        '<link name="finger"><inertial><mass value="0.1"/>'
        '<inertia ixx="1e-4" ixy="0" ixz="0" iyy="1e-4" iyz="0" izz="1e-4"/></inertial>'
        f'<visual>{body}<material name="finger"><color rgba="0.1 0.1 0.12 1"/></material></visual>'
        f"<collision>{body}</collision></link>"
    )


class Bullet:
    """One simulator with an arm, boxes that never move, and objects.

    Args:
        finger: the finger's geometry, see `arm_urdf`.
        timestep_s: of the physics.
        boxes: table and walls.
    """

    def __init__(self, finger: str, timestep_s: float, boxes: Sequence[Box]) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self._folder = tempfile.TemporaryDirectory(prefix="visual-foresight-")
        self._arm_urdf = arm_urdf(finger)
        self._timestep_s = timestep_s
        self._boxes = tuple(boxes)
        self.objects: list[int] = []
        self.rebuild(())

    def rebuild(self, specs: Sequence[ObjectSpec]) -> None:
        """Build the world anew, with these objects, in about 7 ms.

        Only in a new world is the future a function of a snapshot, bit for bit: the simulator
        keeps more than poses and velocities (order of contacts, bounding boxes, solver order).
        """
        self._call("resetSimulation")
        self._call("setGravity", 0, 0, -9.81)
        self._call("setTimeStep", self._timestep_s)
        self._call(
            "setPhysicsEngineParameter", numSolverIterations=30, deterministicOverlappingPairs=1
        )
        self.arm = self._load(self._arm_urdf, useFixedBase=True)
        self.finger = self._call("getNumJoints", self.arm) - 1
        for box in self._boxes:
            self._add_box(box)
        self.objects = []
        for spec in specs:
            body = self._load(spec.urdf)
            self._call(
                "changeDynamics",
                body,
                -1,
                mass=spec.mass_kg,
                lateralFriction=spec.friction,
                spinningFriction=0.002,
            )
            self.objects.append(body)

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        return getattr(pybullet, name)(*args, **options, physicsClientId=self._client)

    def close(self) -> None:
        """Free the simulator; a second call does nothing."""
        if self._client >= 0:
            self._call("disconnect")
            self._folder.cleanup()
            self._client = -1

    def _load(self, urdf: str, **options: Any) -> int:
        # The simulator caches files by name, so the name is a hash of the content.
        path = Path(self._folder.name) / f"{hashlib.sha1(urdf.encode()).hexdigest()}.urdf"
        if not path.exists():
            path.write_text(urdf.replace(DATA_FOLDER, data_path()))
        return self._call("loadURDF", str(path), **options)

    def _add_box(self, box: Box) -> None:
        shape = self._call("createCollisionShape", pybullet.GEOM_BOX, halfExtents=box.half)
        body = self._call("createMultiBody", 0, shape, -1, box.center)
        self._call("changeDynamics", body, -1, lateralFriction=box.friction)
        self._call("changeVisualShape", body, -1, rgbaColor=(0, 0, 0, 0))

    def get_body(self, body: int) -> BodyState:
        """Return a body's pose and velocity."""
        return BodyState(
            *self._call("getBasePositionAndOrientation", body),
            *self._call("getBaseVelocity", body),
        )

    def set_body(self, body: int, state: BodyState) -> None:
        """Set a body's pose and velocity."""
        self._call("resetBasePositionAndOrientation", body, state.position, state.orientation)
        self._call("resetBaseVelocity", body, state.linear, state.angular)

    def get_joints(self) -> tuple[tuple[float, float], ...]:
        """Return (angle, velocity) of the arm's joints (radians, radians per second)."""
        return tuple(
            state[:2] for state in self._call("getJointStates", self.arm, range(NUM_JOINTS))
        )

    def set_joints(self, joints: Sequence[tuple[float, float]]) -> None:
        """Set (angle, velocity) of the arm's joints (radians, radians per second)."""
        for index, (angle, velocity) in enumerate(joints):
            self._call("resetJointState", self.arm, index, angle, velocity)

    def inverse_kinematics(self, position: Sequence[float], yaw: float) -> tuple[float, ...]:
        """Return joint angles (radians) at which the fingertip is at a position, pointing down.

        Args:
            position: (x, y, z) of the fingertip, metres.
            yaw: of the finger, radians.
        """
        down = pybullet.getQuaternionFromEuler([np.pi, 0, yaw])
        angles = self._call(
            "calculateInverseKinematics",
            self.arm,
            self.finger,
            position,
            down,
            maxNumIterations=60,
            residualThreshold=1e-6,
        )
        return tuple(angles[:NUM_JOINTS])

    def fingertip(self) -> tuple[tuple[float, ...], float]:
        """Return the fingertip's measured position (metres) and yaw (radians)."""
        state = self._call("getLinkState", self.arm, self.finger, computeForwardKinematics=1)
        return state[4], pybullet.getEulerFromQuaternion(state[5])[2]

    def drive(self, angles: Sequence[float], substeps: int) -> None:
        """Move the joints to these angles over this many physics steps, by position control.

        The targets in between are on a straight line in joint space.
        """
        start = np.array([angle for angle, _ in self.get_joints()])
        for fraction in np.linspace(0, 1, substeps + 1)[1:]:
            self._call(
                "setJointMotorControlArray",
                self.arm,
                range(NUM_JOINTS),
                pybullet.POSITION_CONTROL,
                targetPositions=list(start + fraction * (np.asarray(angles) - start)),
                forces=[200.0] * NUM_JOINTS,
                # 0.1, the default, lags 15 mm behind its target; 0.8 lags 1.5 mm
                positionGains=[0.8] * NUM_JOINTS,
            )
            self._call("stepSimulation")

    def link_pose(self, body: int, link: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the position and orientation of a link's frame, or of the base (-1)."""
        if link < 0:
            return self._call("getBasePositionAndOrientation", body)
        state = self._call("getLinkState", body, link, computeForwardKinematics=1)
        return state[4], state[5]

    def render(self, camera: Camera) -> Rendering:
        """Draw the arm and the objects, without the table."""
        view = self._call("computeViewMatrix", camera.eye, camera.target, (0, 0, 1))
        aspect = camera.width / camera.height
        projection = self._call(
            "computeProjectionMatrixFOV",
            camera.field_of_view_deg,
            aspect,
            camera.near_m,
            camera.far_m,
        )
        _, _, image, depth, mask = self._call(
            "getCameraImage",
            camera.width,
            camera.height,
            view,
            projection,
            shadow=0,
            lightDirection=(0.4, 0.2, 1.0),
            renderer=pybullet.ER_TINY_RENDERER,
            flags=pybullet.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX,
        )
        size = (camera.height, camera.width)
        seen = np.asarray(mask).reshape(size)
        return Rendering(
            image=np.asarray(image, np.uint8).reshape(*size, 4)[..., :3],
            depth_m=camera.depth_m(np.asarray(depth, np.float64).reshape(size)),
            body=np.where(seen < 0, -1, seen & ((1 << 24) - 1)),
            link=np.where(seen < 0, -1, (seen >> 24) - 1),
        )


def to_world(
    pose: tuple[Sequence[float], Sequence[float]], local: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3"]:
    """Return the world coordinates of a point that is given in a body's frame."""
    world, _ = pybullet.multiplyTransforms(*pose, local.tolist(), (0, 0, 0, 1))
    return np.array(world)


def to_local(
    pose: tuple[Sequence[float], Sequence[float]], world: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3"]:
    """Return the coordinates in a body's frame of a point that is given in the world."""
    inverse = pybullet.invertTransform(*pose)
    local, _ = pybullet.multiplyTransforms(*inverse, world.tolist(), (0, 0, 0, 1))
    return np.array(local)
