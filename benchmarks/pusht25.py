"""Make the pairs of the suite `pusht25` again: `scripts/remake_pusht25`.

One pair of each of 100 recorded episodes of the explorer `sweeps`, with a seed that no training
uses: a state, and the one five actions later, in which the T has moved by more than 20 mm or turned
by more than 20 degrees. In both the T lies between the walls: the agent can squeeze it into one.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from visual_foresight.collect.recorder import lay_out, make_explorer
from visual_foresight.envs.pusht.env import PushTEnv
from visual_foresight.envs.pusht.letters import LETTERS
from visual_foresight.envs.pusht.states import WALLS_MM, Snapshot
from visual_foresight.evaluation.control.goal_pairs import (
    PAIRS_FOLDER,
    block_pose,
    designated_mm,
)
from visual_foresight.system.files import write_bytes

SEED = 2_500_000
NUM_PAIRS = 100
NUM_STEPS = 40
AHEAD = 5
SLACK_MM = 1.0
MOVED_MM, TURNED_DEGREES = 20.0, 20.0


def recorded(index: int) -> list[Snapshot]:
    """Return the states of an episode."""
    env = PushTEnv()
    lay_out(env, SEED, index)
    rng = np.random.default_rng([SEED, index])
    explorer = make_explorer(env, "sweeps")
    states = [env.save()]
    for _ in range(NUM_STEPS):
        env.move(explorer.act(env.observe(), rng))
        states.append(env.save())
    env.close()
    return states


def moves(start: Snapshot, goal: Snapshot) -> bool:
    """Tell whether the T is elsewhere in the goal, as gym-pusht counts its place."""
    poses = []
    for state in (start, goal):
        (letter,) = state.table.letters
        poses.append(block_pose(designated_mm((*letter.place_mm, letter.angle))))
    turned = poses[1][2] - poses[0][2]
    degrees = math.degrees(abs(math.atan2(math.sin(turned), math.cos(turned))))
    moved_mm = float(np.linalg.norm(poses[1][:2] - poses[0][:2]))
    return moved_mm > MOVED_MM or degrees > TURNED_DEGREES


def lies_inside(state: Snapshot) -> bool:
    """Tell whether the whole T lies between the walls."""
    (letter,) = state.table.letters
    cos, sin = math.cos(letter.angle), math.sin(letter.angle)
    shape = LETTERS[state.table.letter]
    corners = np.array([*shape.bar.corners_mm, *shape.stem.corners_mm])
    places = corners @ np.array([[cos, sin], [-sin, cos]]) + np.array(letter.place_mm)
    low, high = WALLS_MM
    return bool((places > low - SLACK_MM).all() and (places < high + SLACK_MM).all())


def written(index: int, step: int, start: Snapshot, goal: Snapshot) -> dict[str, Any]:
    """Return a pair as JSON values (see `goal_pairs.Pair`)."""
    agent, (letter,) = start.table.agent, start.table.letters
    (goal_letter,) = goal.table.letters
    x, y = start.commanded_m
    return {
        "episode": index,
        "step": step,
        "agent": _rounded(*agent.place_mm, *agent.velocity_mm),
        "letter": _rounded(*letter.place_mm, letter.angle, *letter.velocity_mm, letter.spin),
        "commanded": _rounded(1000 * x, 1000 * y),
        "goal_agent": _rounded(*goal.table.agent.place_mm),
        "goal_letter": _rounded(*goal_letter.place_mm, goal_letter.angle),
    }


def _rounded(*values: float) -> list[float]:
    return [round(value, 4) for value in values]


def make_pairs(count: int) -> list[dict[str, Any]]:
    """Return so many pairs, one of an episode each."""
    pairs: list[dict[str, Any]] = []
    index = 0
    while len(pairs) < count:
        states = recorded(index)
        steps = [
            step
            for step in range(len(states) - AHEAD)
            if moves(states[step], states[step + AHEAD])
            and lies_inside(states[step])
            and lies_inside(states[step + AHEAD])
        ]
        if steps:
            step = int(np.random.default_rng([SEED, index, 1]).choice(steps))
            pairs.append(written(index, step, states[step], states[step + AHEAD]))
        index += 1
    return pairs


def write_pairs(path: Path, count: int) -> None:
    """Write the pairs, a line each."""
    lines = ",\n".join(json.dumps(pair) for pair in make_pairs(count))
    write_bytes(path, f"[\n{lines}\n]\n".encode())


if __name__ == "__main__":
    write_pairs(PAIRS_FOLDER / "pusht25.json", NUM_PAIRS)
