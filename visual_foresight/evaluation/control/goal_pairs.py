"""Tasks whose goal was recorded: the suite `pusht25`, the common protocol of PushT.

A task begins in a recorded state and asks for the state 25 environment steps (five actions) later,
within 50 steps (ten actions): DINO-WM and stable-worldmodel. Only pairs count in which the T moves
by more than 20 mm or turns by more than 20 degrees, because others are solved by doing nothing. The
goal is given as a person would give it: two pixels on the T, and their places in the goal frame.
The pairs are in a file, which `scripts/remake_pusht25` makes.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.control.trial import Trial
from visual_foresight.envs.pusht.letters import LETTERS
from visual_foresight.envs.pusht.states import AgentState, LetterState, Snapshot, TableState
from visual_foresight.evaluation.control.criteria import Errors
from visual_foresight.evaluation.suites import PROTOCOL
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Env, require_simulator
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.types import Pixel, UserError
from visual_foresight.vision.homography import apply_homography

PAIRS_FOLDER = Path(__file__).parent / "pairs"
DESIGNATED_MM = ((0.0, 60.0), (50.0, -30.0))
"""The two designated points in the T's axes: on its stem and on its bar."""


@dataclass(frozen=True)
class Pair:
    """A recorded state, and a later one that is the goal. Places in millimetres."""

    episode: int
    """Number of the recorded episode."""
    step: int
    """Actions before the state."""
    agent: tuple[float, ...]
    """Place (x, y) and velocity (x, y)."""
    letter: tuple[float, ...]
    """Place (x, y) of the centre of gravity, angle, velocity (x, y), spin."""
    commanded: tuple[float, ...]
    """Where the agent was sent last."""
    goal_agent: tuple[float, ...]
    """Place (x, y) of the agent in the goal state."""
    goal_letter: tuple[float, ...]
    """Place (x, y) and angle in the goal state."""

    @property
    def start(self) -> Snapshot:
        """Return the state in which the task begins."""
        agent_x, agent_y, agent_vx, agent_vy = self.agent
        x, y, angle, vx, vy, spin = self.letter
        agent = AgentState((agent_x, agent_y), (agent_vx, agent_vy))
        table = TableState("T", agent, (LetterState((x, y), angle, (vx, vy), spin),))
        return Snapshot(table, (self.commanded[0] / 1000, self.commanded[1] / 1000))


@dataclass(frozen=True)
class PairTask:
    """A pair as a camera sees it: bring the T from its start to its goal."""

    suite: str
    index: int
    pair: Pair
    frame_size: tuple[int, int]
    homography: tuple[tuple[float, ...], ...]
    """From (row, col, 1) to (x, y, 1), in metres."""
    num_steps: int

    @property
    def env_seed(self) -> int:
        """Return the number of the recorded episode."""
        return self.pair.episode

    @property
    def goal(self) -> PixelGoal:
        """Return the two designated pixels and their places in the goal frame."""
        x, y, angle, *_ = self.pair.letter
        return PixelGoal(
            self._seen(designated_mm((x, y, angle))),
            self._seen(designated_mm(self.pair.goal_letter)),
        )

    @property
    def fingerprint(self) -> str:
        """Return what identifies the task and how it is run."""
        parts = {"suite": self.suite, "frame_size": self.frame_size, "steps": self.num_steps}
        return fingerprint({"protocol": PROTOCOL, **parts, **asdict(self.pair)})

    def begin(self, env: Env) -> tuple[Any, ...]:
        """Go to the start and return the designated points, for the judge."""
        world = require_simulator(env, f"the tasks of suite {self.suite!r}")
        world.restore(self.pair.start)
        return tuple(world.pick(source) for source in self.goal.sources)

    def errors(self, trial: Trial) -> Errors:
        """Return how far agent and T were from the goal, before and after each action."""
        homography = np.array(self.homography)
        places_mm = 1000 * apply_homography(trial.episode.tracks, homography)
        poses = np.array([block_pose(pair) for pair in places_mm])
        goal = block_pose(designated_mm(self.pair.goal_letter))
        agents_mm = 1000 * trial.episode.states[:, :2].astype(np.float64)
        turned = poses[:, 2] - goal[2]
        return Errors(
            agent_mm=np.linalg.norm(agents_mm - np.array(self.pair.goal_agent), axis=1),
            block_mm=np.linalg.norm(poses[:, :2] - goal[:2], axis=1),
            degrees=np.degrees(np.abs(np.arctan2(np.sin(turned), np.cos(turned)))),
        )

    def notes(self, trial: Trial) -> dict[str, Any]:
        """Return the errors, of which the criteria are made."""
        return {"errors": self.errors(trial).to_json()}

    def _seen(self, places_mm: Float[np.ndarray, "p 2"]) -> tuple[Pixel, ...]:
        to_frame = np.linalg.inv(np.array(self.homography))
        seen = apply_homography(places_mm / 1000, to_frame)
        return tuple(Pixel(float(row), float(col)) for row, col in seen)


@dataclass(frozen=True)
class PairSuite:
    """A suite of committed pairs; they are the same for every seed."""

    name: str
    env: str = "pusht"
    held_out: bool = False
    num_steps: int = 10

    def task(self, env: Env, seed: int, index: int) -> PairTask:
        """Return a task.

        Raises:
            UserError: there are not so many pairs, or the camera is not calibrated.
        """
        pairs = read_pairs(self.name)
        if index >= len(pairs):
            raise UserError(
                f"suite {self.name!r} has {len(pairs)} pairs: use --trials {len(pairs)} or fewer"
            )
        view = env.info.view
        rows = view.calibration(f"suite {self.name!r}").tolist()
        homography = tuple(tuple(row) for row in rows)
        return PairTask(
            self.name, index, pairs[index], view.frame_size, homography, self.num_steps
        )


PAIR_SUITES: dict[str, PairSuite] = {"pusht25": PairSuite("pusht25")}


@cache
def read_pairs(name: str) -> tuple[Pair, ...]:
    """Return the committed pairs of a suite."""
    listed = json.loads((PAIRS_FOLDER / f"{name}.json").read_text())
    return tuple(
        Pair(
            episode=each["episode"],
            step=each["step"],
            agent=tuple(each["agent"]),
            letter=tuple(each["letter"]),
            commanded=tuple(each["commanded"]),
            goal_agent=tuple(each["goal_agent"]),
            goal_letter=tuple(each["goal_letter"]),
        )
        for each in listed
    )


def designated_mm(pose: tuple[float, ...]) -> Float[np.ndarray, "2 2"]:
    """Return where the designated points are when the T has this (x, y, angle)."""
    x, y, angle = pose
    return np.array([x, y]) + np.array(DESIGNATED_MM) @ _rotation(angle).T


def block_pose(places_mm: Float[np.ndarray, "2 2"]) -> Float[np.ndarray, "3"]:
    """Return the T's (x, y, angle), as gym-pusht counts it, from its designated points.

    (x, y) is the middle of the bar's upper edge.
    """
    first, second = np.array(DESIGNATED_MM)
    own = second - first
    seen = places_mm[1] - places_mm[0]
    angle = np.arctan2(seen[1], seen[0]) - np.arctan2(own[1], own[0])
    origin = places_mm[0] + _rotation(angle) @ (np.array(LETTERS["T"].origin_mm) - first)
    return np.array([*origin, angle])


def _rotation(angle: float) -> Float[np.ndarray, "2 2"]:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
