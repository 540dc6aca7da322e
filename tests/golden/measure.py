"""Golden values: what shipped models imagine, planners find and envs show, and how trials end.

`values.json` holds them, with a tolerance for each kind of value; `test_golden` compares what
the program computes today. `scripts/remake_golden` writes them again, which is right only when
what the program computes is meant to change.
"""

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

import imageio.v3 as imageio
import numpy as np
import torch

from visual_foresight.control.config import ControllerConfig
from visual_foresight.control.methods import parse
from visual_foresight.envs.registry import ENVS, make
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.evaluation.control.command import Job, run_job
from visual_foresight.evaluation.suites import SUITES, make_task
from visual_foresight.planning.planners.cem import CEM, PRESETS
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import SHIPPED
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.types import Clip, to_uint8
from visual_foresight.vision.pixel_maps import expected_places

ROOT = Path(__file__).parents[2]
VALUES = Path(__file__).with_name("values.json")
CLIPS = ((4, 3), (31, 6))
"""Clips that are imagined: episode of the sample, and first frame."""
HORIZON = 12
"""Imagined steps."""
NUM_POINTS = 4
"""Points of each clip, the first ones of its episode."""
NUM_TASKS = 10
"""Tasks of each suite, the first ones."""
NUM_TRIALS = 3
"""Trials of each suite, the first ones."""


def imagination(name: str) -> dict[str, Any]:
    """Return where a shipped model imagines points of the clips to go, and their last frames."""
    episodes = Episodes(ROOT / "data" / "sample")
    predictor = load(name)
    newest = predictor.context - 1
    clip = episodes.clip(CLIPS, newest + HORIZON)
    seen = Clip(
        clip.actions[:, :newest], clip.frames[:, : newest + 1], clip.states[:, : newest + 1]
    )
    tracks = [episodes[number].tracks[first + newest, :NUM_POINTS] for number, first in CLIPS]
    size = (clip.frames.shape[-2], clip.frames.shape[-1])
    with torch.inference_mode():
        carry = predictor.designate(predictor.observe(seen), torch.from_numpy(np.stack(tracks)))
        future = predictor.imagine(carry, clip.actions[:, newest:], decode=True)
    places = expected_places(future.pixel_maps.double(), size)
    return {
        "places": places.numpy().round(4).tolist(),
        "frames": [as_png(frame) for frame in to_uint8(future.frames[:, -1])],
    }


def search(preset: str) -> dict[str, Any]:
    """Return what CEM finds from a seed, for a cost whose best actions depend on one another."""
    config = PRESETS[preset]
    wanted = torch.linspace(-1, 1, config.horizon)[:, None] * torch.tensor([1.0, -0.5])

    def cost_of(actions: torch.Tensor) -> torch.Tensor:
        ends = (actions - wanted).cumsum(1)
        return ends.square().sum((1, 2)) + actions.diff(dim=1).abs().sum((1, 2))

    found = CEM(config, 2).plan(cost_of, None, torch.Generator().manual_seed(5))
    return {
        "actions": found.best.double().numpy().round(5).tolist(),
        "costs": [round(float(each.min()), 5) for each in found.costs],
    }


def world(name: str) -> dict[str, Any]:
    """Return the frame and the robot's state after fixed actions."""
    env = make(name)
    try:
        env.reset(seed=7, options={"num_objects": 3})
        rng = np.random.default_rng(11)
        for _ in range(6):
            env.step(rng.uniform(-1, 1, env.info.action_size).astype(np.float32))
        seen = env.observe()
    finally:
        env.close()
    return {"frames": [as_png(seen.frame)], "state": seen.state.astype(float).round(6).tolist()}


def tasks(suite: str) -> dict[str, Any]:
    """Return the fingerprints of a published suite's first tasks, and the keys of some rows."""
    env = make(SUITES[suite].env, held_out=SUITES[suite].held_out)
    try:
        found = [
            make_task(env, SUITES[suite], 0, index).fingerprint for index in range(NUM_TASKS)
        ]
    finally:
        env.close()
    rows = {
        row: parse(row, ControllerConfig(preset="fast")).key
        for row in ("rigid", "flow@propagate", "simulator", "scripted")
    }
    return {"tasks": found, "fingerprint": fingerprint(found), "rows": rows}


def trials(suite: str) -> dict[str, Any]:
    """Return how the flagship's first trials of a published suite go."""
    method = parse("rigid", ControllerConfig(preset="fast"))
    with tempfile.TemporaryDirectory() as folder:
        jobs = [
            Job(SUITES[suite], method, 0, index, Path(folder) / f"{index}.json")
            for index in range(NUM_TRIALS)
        ]
        records = [run_job(job) for job in jobs]
    return {"distances_m": [record["distances_m"] for record in records]}


GROUPS = {
    "imagination": (imagination, SHIPPED),
    "search": (search, tuple(PRESETS)),
    "world": (world, tuple(ENVS)),
    "tasks": (tasks, tuple(SUITES)),
    "trials": (trials, tuple(name for name in SUITES if SUITES[name].env == "push")),
}
"""Group -> how to measure one of its members, and the members."""
TOLERANCES = {
    "places": 0.02,  # pixels
    "frames": 1.0,  # mean difference of a colour, on a scale of 0 to 255
    "actions": 1e-3,
    "costs": 1e-3,
    "state": 1e-4,  # metres, radians
    "distances_m": 2e-3,
}
"""Largest difference of two values that count as the same; what is not listed must be equal."""


def as_png(frame: np.ndarray) -> str:
    """Return a frame as text."""
    data = imageio.imwrite("<bytes>", frame, extension=".png", plugin="pillow")
    return base64.b64encode(data).decode()


def from_png(text: str) -> np.ndarray:
    """Return the frame that `as_png` made into this text."""
    return imageio.imread(base64.b64decode(text), extension=".png", plugin="pillow")


def main() -> None:
    """Write all values."""
    torch.set_num_threads(1)
    values = {
        group: {member: measure(member) for member in members}
        for group, (measure, members) in GROUPS.items()
    }
    VALUES.write_text(json.dumps({"tolerances": TOLERANCES, **values}, indent=1) + "\n")


if __name__ == "__main__":
    main()
