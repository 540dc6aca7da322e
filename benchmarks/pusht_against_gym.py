"""Compare the world `pusht` with gym-pusht: the same scenes and targets, control step by step.

gym-pusht cannot be installed beside this package (its OpenCV has windows), so it needs a venv
apart:

    python3.11 -m venv /tmp/gym && /tmp/gym/bin/pip install gym-pusht==0.1.8
    python -m benchmarks.pusht_against_gym --python /tmp/gym/bin/python
"""

import json
import math
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from jaxtyping import Float

from visual_foresight.envs.pusht.letters import LETTERS
from visual_foresight.envs.pusht.physics import Simulator
from visual_foresight.envs.pusht.states import (
    AgentState,
    LetterState,
    TableState,
)

OTHER_HALF = Path(__file__).with_name("gym_pusht_rollouts.py")
ORIGIN_MM = LETTERS["T"].origin_mm
MOVED_MM = 0.01
"""A block that is farther from where it began has been touched."""
AFTER = (1, 5, 10, 25)
"""Control steps after the first touch at which errors are told."""


@dataclass(frozen=True)
class Settings:
    """What to compare."""

    python: Path
    """The Python of a venv that has gym-pusht."""
    scenes: int = 200
    """How many."""
    steps: int = 40
    """Control steps of a tenth of a second in each."""
    seed: int = 0
    """Decides scenes and targets."""


def scenes_of(settings: Settings) -> list[dict[str, Any]]:
    """Return scenes: a block, and an agent that is led straight through it, or nearly."""
    rng = np.random.default_rng(settings.seed)
    scenes = []
    for _ in range(settings.scenes):
        center = rng.uniform(180, 330, 2)
        angle = float(rng.uniform(-np.pi, np.pi))
        heading = rng.uniform(-np.pi, np.pi)
        along = np.array([math.cos(heading), math.sin(heading)])
        across = np.array([-along[1], along[0]]) * rng.normal(0, 30)
        start = center - 130 * along + across
        bend = rng.uniform(-0.02, 0.02)
        turns = heading + bend * np.arange(settings.steps)
        ways = np.cumsum(8 * np.stack([np.cos(turns), np.sin(turns)], 1), 0)
        targets = np.clip(start + ways, 40, 470)
        scenes.append(
            {
                "agent": start.tolist(),
                "block": [*_turned(ORIGIN_MM, angle, center.tolist()), angle],
                "targets": targets.tolist(),
            }
        )
    return scenes


def our_poses(scene: dict[str, Any]) -> list[list[float]]:
    """Return what our simulator makes of a scene (see `gym_pusht_rollouts.poses_of`)."""
    x, y, angle = scene["block"]
    back = (-ORIGIN_MM[0], -ORIGIN_MM[1])
    center = _turned(back, angle, (x, y))
    table = TableState("T", AgentState(tuple(scene["agent"])), (LetterState(center, angle),))
    simulator = Simulator(table)
    poses = []
    for target_x, target_y in scene["targets"]:
        simulator.advance((target_x, target_y), 1)
        (letter,) = simulator.state().letters
        poses.append([*_turned(ORIGIN_MM, letter.angle, letter.place_mm), letter.angle])
    return poses


def _turned(
    offset: tuple[float, float], angle: float, place: tuple[float, float] | list[float]
) -> tuple[float, float]:
    """Return a place plus an offset that is turned by an angle."""
    cos, sin = math.cos(angle), math.sin(angle)
    x = place[0] + cos * offset[0] - sin * offset[1]
    y = place[1] + sin * offset[0] + cos * offset[1]
    return (x, y)


def errors_after_touch(
    ours: Float[np.ndarray, "n t 3"],
    theirs: Float[np.ndarray, "n t 3"],
    starts: Float[np.ndarray, "n 3"],
) -> dict[str, Any]:
    """Return the largest errors before the first touch, and errors some steps after it.

    Returns:
        {"scenes", "touched", "before": {"mm", "degrees"}, "after": {steps: {"scenes", "mm",
        "degrees", "moved_mm"}}}; each of the latter is [median, 95th percentile, maximum].
    """
    millimetres = np.linalg.norm(ours[..., :2] - theirs[..., :2], axis=-1)
    degrees = np.degrees(np.abs(ours[..., 2] - theirs[..., 2]))
    moved = np.linalg.norm(theirs[..., :2] - starts[:, None, :2], axis=-1)
    has_moved = (moved > MOVED_MM) | (
        np.linalg.norm(ours[..., :2] - starts[:, None, :2], axis=-1) > MOVED_MM
    )
    num_steps = has_moved.shape[1]
    first = np.where(has_moved.any(1), has_moved.argmax(1), num_steps)
    before = np.arange(num_steps) < first[:, None]
    after = {}
    for steps in AFTER:
        number = np.nonzero(first + steps - 1 < num_steps)[0]
        at = (number, first[number] + steps - 1)
        after[str(steps)] = {
            "scenes": len(number),
            "mm": _spread(millimetres[at]),
            "degrees": _spread(degrees[at]),
            "moved_mm": _spread(moved[at]),
        }
    return {
        "scenes": len(ours),
        "touched": int((first < num_steps).sum()),
        "before": {
            "mm": float(millimetres[before].max(initial=0)),
            "degrees": float(degrees[before].max(initial=0)),
        },
        "after": after,
    }


def _spread(values: Float[np.ndarray, " n"]) -> list[float]:
    return [float(np.quantile(values, share)) for share in (0.5, 0.95, 1.0)]


def main() -> None:
    """Run both and print the figures."""
    settings = tyro.cli(Settings, description=__doc__)
    scenes = scenes_of(settings)
    other = subprocess.run(
        [str(settings.python), str(OTHER_HALF)],
        input=json.dumps(scenes),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    theirs = np.array(json.loads(other.stdout))
    ours = np.array([our_poses(scene) for scene in scenes])
    starts = np.array([scene["block"] for scene in scenes])
    figures = errors_after_touch(ours, theirs, starts)
    print(json.dumps(figures, indent=2))  # noqa: T201  (this is what it is for)


if __name__ == "__main__":
    main()
