"""The world `pusht`: a round agent pushes a T over a table, seen from straight above.

The task of Chi et al., "Diffusion Policy" (2023), with gym-pusht's measures; see `physics` for what
differs. A pixel of gym-pusht is a millimetre here, so its world of 512 pixels is half a metre wide.
This file says what an action does; `physics` moves things and `camera` draws them.
"""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float, UInt8

from visual_foresight.env_info import EnvInfo, View
from visual_foresight.envs.pusht.camera import Camera, letter_distance
from visual_foresight.envs.pusht.physics import Simulator
from visual_foresight.envs.pusht.scenes import MOST_LETTERS, random_table
from visual_foresight.envs.pusht.states import (
    AGENT_RADIUS_MM,
    AgentState,
    LetterState,
    Snapshot,
)
from visual_foresight.types import Observation, Pixel, UserError, Workspace

CONTROL_STEPS = 5
"""Control steps of 0.1 s in an action: the `action_block` of stable-worldmodel's PushT."""
WORKSPACE = Workspace(low=(0.03, 0.03), high=(0.48, 0.48), step=(0.04, 0.04))
"""Where the agent's centre is sent, and by how much an action moves that: in five control steps
demonstrations of the task move it about as far."""
MIN_SIDE_PX, MAX_SIDE_PX = 16, 1024  # of a frame


@dataclass(frozen=True)
class Point:
    """A physical point, fixed to its body."""

    kind: str
    """Either "object" (a letter), "arm" (the agent) or "background"."""
    index: int
    """Number of the letter; 0 otherwise."""
    local_mm: tuple[float, float]
    """In the axes of the letter, or from the agent's centre, or on the table."""


class PushTEnv(gymnasium.Env[dict[str, Any], Any]):
    """Push a T with a round agent.

    An action (dx, dy) in [-1, 1] displaces the place where the agent is sent by up to 4 cm per axis
    (`workspace.step`); its controller then has half a second to bring it there. Observation:
    {"frame": uint8 `h w 3`, "state": float32 (x, y) and velocity (x, y) of the agent, in metres and
    metres per second}. The camera looks straight down: x points to the right of the frame and y
    down it. The reward is always 0, because goals belong to the planner, and episodes have no end.

    Args:
        frame_size: (height, width) in pixels; the shorter side shows the whole table.
        held_out: push an L, which training episodes never show, in place of the T.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012  (gymnasium's own name and type)
    render_mode = "rgb_array"
    renderer = "numpy"

    def __init__(self, frame_size: tuple[int, int] = (64, 64), held_out: bool = False) -> None:
        height, width = frame_size
        if min(height, width) < MIN_SIDE_PX or max(height, width) > MAX_SIDE_PX:
            raise UserError(
                f"a frame of {MIN_SIDE_PX} to {MAX_SIDE_PX} pixels a side is needed, "
                f"got {height}x{width}: choose another size"
            )
        self.frame_size = (height, width)
        self.state_size = 4
        self.workspace = WORKSPACE
        self.camera = Camera(self.frame_size)
        self.homography = self.camera.homography
        rows = tuple(tuple(row) for row in self.homography.tolist())
        self.info = EnvInfo(
            views={"top": View(self.frame_size, rows)},
            action_size=self.workspace.action_size,
            state_size=self.state_size,
            workspace=self.workspace,
            renderer=f"numpy, with pymunk {version('pymunk')}",
        )
        self._letter = "L" if held_out else "T"
        self._empty = self.camera.draw_empty()
        table = random_table(np.random.default_rng(0), self._letter, 1, self.workspace)
        self._simulator = Simulator(table)
        self._commanded_m = _metres(table.agent.place_mm)
        self.action_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
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
        """Put the T somewhere on the table, turned at random, and the agent at a free place.

        Args:
            seed: decides the whole scene.
            options: {"num_objects": 1 to 3}; one T when absent.

        Raises:
            UserError: the number of objects is out of range.
        """
        super().reset(seed=seed)
        wanted = (options or {}).get("num_objects")
        count = 1 if wanted is None else int(wanted)
        if not 1 <= count <= MOST_LETTERS:
            raise UserError(
                f"1 to {MOST_LETTERS} objects fit on the table, got {count}: "
                "choose another number"
            )
        table = random_table(self.np_random, self._letter, count, self.workspace)
        self.restore(Snapshot(table, _metres(table.agent.place_mm)))
        return self.observe().parts(), {}

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Move, then observe."""
        self.move(action)
        return self.observe().parts(), 0.0, False, False, {}

    def render(self) -> UInt8[np.ndarray, "h w 3"]:  # type: ignore[override]
        """Return the frame."""
        return self.observe().frame

    # --- acting and observing -----------------------------------------------------------------

    def move(self, action: Any) -> None:
        """Carry out an action without drawing a frame."""
        wanted = np.asarray(action, np.float64)
        if wanted.shape != (2,) or not np.isfinite(wanted).all():
            raise UserError(
                f"an action of 2 finite numbers in [-1, 1] is needed, got {action}: give one"
            )
        reached = np.array(self._commanded_m) + np.clip(wanted, -1, 1) * self.workspace.step
        x, y = np.clip(reached, self.workspace.low, self.workspace.high).tolist()
        self._commanded_m = (x, y)
        self._simulator.advance((1000 * x, 1000 * y), CONTROL_STEPS)

    def observe(self) -> Observation:
        """Return the present frame, and where the agent is and how it moves."""
        table = self._simulator.state()
        state = np.array([*table.agent.place_mm, *table.agent.velocity_mm]) / 1000
        return Observation.single(
            self.camera.draw(table, self._empty), state.astype(np.float32)
        )

    def draw(self, scale: int) -> UInt8[np.ndarray, "drawn_h drawn_w 3"]:
        """Return the scene larger than the frame: see `interfaces.Drawable`."""
        height, width = self.frame_size
        large = Camera((scale * height, scale * width))
        return large.draw(self._simulator.state(), large.draw_empty())

    # --- for judges ---------------------------------------------------------------------------

    def save(self) -> Snapshot:
        """Return a picklable snapshot.

        This world is then built anew from it, so that its future and the snapshot's are the same
        bit for bit.
        """
        snapshot = Snapshot(self._simulator.state(), self._commanded_m)
        self.restore(snapshot)
        return snapshot

    def restore(self, snapshot: Snapshot, exact: bool = True) -> None:
        """Return to a snapshot of this env, or of another; always exact."""
        self._simulator = Simulator(snapshot.table)
        self._commanded_m = snapshot.commanded_m

    def truth(self) -> Float[np.ndarray, "k 7"]:
        """Return the letters' poses: centre of gravity in metres, quaternion x y z w.

        An angle turns x towards y.
        """
        poses = []
        for letter in self._simulator.state().letters:
            half = letter.angle / 2
            poses.append([*_metres(letter.place_mm), 0, 0, 0, np.sin(half), np.cos(half)])
        return np.array(poses, np.float64)

    def pick(self, pixel: Pixel) -> Point:
        """Return the physical point seen at a pixel: on the agent, a letter or the table.

        Raises:
            UserError: the pixel is outside the frame.
        """
        height, width = self.frame_size
        if not pixel.inside(height, width):
            raise UserError(
                f"a pixel inside the {height}x{width} frame is needed, got {pixel}: choose another"
            )
        place = self.camera.to_table(pixel)
        table = self._simulator.state()
        agent_x, agent_y = table.agent.place_mm
        from_agent = (place[0] - agent_x, place[1] - agent_y)
        if np.hypot(*from_agent) <= AGENT_RADIUS_MM:
            return Point("arm", 0, from_agent)
        x, y = np.array([[place[0]]]), np.array([[place[1]]])
        for number in reversed(range(len(table.letters))):
            letter = table.letters[number]
            if letter_distance(table.letter, letter, x, y).item() <= 0:
                return Point("object", number, _to_letter(letter, place))
        return Point("background", 0, place)

    def where(self, point: Point) -> tuple[Pixel, Float[np.ndarray, "3"]]:
        """Return the present place of a picked point: in the frame, and in the world (metres)."""
        table = self._simulator.state()
        place = point.local_mm
        if point.kind == "arm":
            place = _from_agent(table.agent, point.local_mm)
        elif point.kind == "object":
            place = _from_letter(table.letters[point.index], point.local_mm)
        world = np.array([*_metres(place), 0.0])
        return self.project(world), world

    def project(self, world: Float[np.ndarray, "3"]) -> Pixel:
        """Return where a world point (metres) is seen."""
        return self.camera.to_frame((float(1000 * world[0]), float(1000 * world[1])))


def _metres(place_mm: tuple[float, float]) -> tuple[float, float]:
    return (place_mm[0] / 1000, place_mm[1] / 1000)


def _to_letter(letter: LetterState, place_mm: tuple[float, float]) -> tuple[float, float]:
    """Return a place of the table in a letter's axes."""
    x, y = place_mm[0] - letter.place_mm[0], place_mm[1] - letter.place_mm[1]
    cos, sin = float(np.cos(letter.angle)), float(np.sin(letter.angle))
    return (cos * x + sin * y, cos * y - sin * x)


def _from_letter(letter: LetterState, local_mm: tuple[float, float]) -> tuple[float, float]:
    """Return where on the table a place in a letter's axes is."""
    x, y = local_mm
    cos, sin = float(np.cos(letter.angle)), float(np.sin(letter.angle))
    return (letter.place_mm[0] + cos * x - sin * y, letter.place_mm[1] + sin * x + cos * y)


def _from_agent(agent: AgentState, local_mm: tuple[float, float]) -> tuple[float, float]:
    return (agent.place_mm[0] + local_mm[0], agent.place_mm[1] + local_mm[1])
