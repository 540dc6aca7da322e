"""How well the pushing table can be predicted from one frame at most: `scripts/bench_limits`.

The simulator predicts, from the little that a frame does not show well: shapes are true, objects
are at rest, their poses are known up to 2 mm and 2 degrees (a quarter of a pixel), and masses and
frictions, which cannot be seen, are drawn anew. The mean of four such guesses is evaluated as any
predictor is.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from einops import repeat
from scipy.spatial.transform import Rotation

from visual_foresight.collect.recorder import lay_out
from visual_foresight.envs.pushing.bullet import BodyState
from visual_foresight.envs.pushing.env import Snapshot
from visual_foresight.envs.pushing.objects import random_spec
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.episode_files import episode_path, read_episode
from visual_foresight.evaluation.prediction.command import evaluate_prediction
from visual_foresight.evaluation.prediction.segments import (
    PADDING,
    Segment,
    segments_of,
)
from visual_foresight.evaluation.ranking.command import rank_candidates
from visual_foresight.evaluation.ranking.contact_states import (
    BankJob,
    ContactState,
    envs_of,
    find_contact_state,
)
from visual_foresight.interfaces import SimulatedEnv
from visual_foresight.predictors.baselines.simulator import Carry, Simulator
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import Clip, Episode, Pixel, Prediction
from visual_foresight.vision.pixel_maps import first_maps

HORIZON = 12
"""Imagined steps."""
CANDIDATES = 64
"""Action sequences that are ranked in each contact state."""
GUESSES = 4
"""Guessed scenes whose predictions are averaged."""
POSITION_STD_M = 0.002
"""Standard deviation of the error of a guessed object's x and y."""
ANGLE_STD_RAD = np.deg2rad(2)
"""Standard deviation of the error of a guessed object's angle on the table."""
SAME_PX = 0.05
"""A replayed episode is the recorded one when no point is farther than this from its track."""


@dataclass(frozen=True)
class EpisodeJob:
    """An episode whose segments are predicted."""

    path: Path
    env: str
    num_objects: int | None


class Precomputed:
    """A predictor that returns pixel maps made before, in the order in which they are asked for.

    Its frames are those of the persistence baseline.
    """

    context = 1

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        self._maps = iter(torch.from_numpy(np.concatenate(maps)))

    def observe(self, clip: Clip) -> torch.Tensor:
        """Return the newest frame."""
        return clip.frames[:, -1]

    def designate(self, carry: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Return the carry: the maps that will be returned are those of these pixels."""
        return carry

    def imagine(
        self, carry: torch.Tensor, actions: torch.Tensor, decode: bool = False
    ) -> Prediction:
        """Return the next maps (see `interfaces.Predictor`)."""
        maps = torch.stack([next(self._maps) for _ in actions])
        frames = repeat(carry, "b c h w -> b t c h w", t=actions.shape[1] if decode else 0)
        size = (carry.shape[-2], carry.shape[-1])
        return Prediction(frames, maps, torch.zeros(maps.shape[:3]), None, frame_size=size)


def guess(snapshot: Snapshot, rng: np.random.Generator) -> Snapshot:
    """Return the scene as it might be estimated from one frame."""
    drawn = [random_spec(rng, held_out=False) for _ in snapshot.specs]
    specs = tuple(
        replace(spec, mass_kg=other.mass_kg, friction=other.friction)
        for spec, other in zip(snapshot.specs, drawn, strict=True)
    )
    bodies = tuple(_misplaced(body, rng) for body in snapshot.bodies)
    return replace(snapshot, specs=specs, bodies=bodies)


def _misplaced(body: BodyState, rng: np.random.Generator) -> BodyState:
    """Return a body at rest, near where it is."""
    x, y, z = body.position
    dx, dy = rng.normal(0, POSITION_STD_M, 2)
    turn = Rotation.from_euler("z", rng.normal(0, ANGLE_STD_RAD))
    orientation = (turn * Rotation.from_quat(body.orientation)).as_quat()
    return BodyState((x + dx, y + dy, z), tuple(orientation.tolist()), (0, 0, 0), (0, 0, 0))


def predict_maps(
    env: SimulatedEnv,
    mirror: SimulatedEnv,
    points: Sequence,
    actions: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the pixel maps (n t p h w) of points under n action sequences: the guesses' mean."""
    simulator = Simulator(env, mirror, tuple(points))
    snapshot = env.save()
    carries = [Carry(guess(snapshot, rng), num_followed=len(points)) for _ in range(GUESSES)]
    maps = [simulator.imagine(carry, torch.from_numpy(actions)).pixel_maps for carry in carries]
    return torch.stack(maps).mean(0).numpy()


def predict_episode(job: EpisodeJob) -> list[np.ndarray]:
    """Return the pixel maps (1 t p h w) of each segment of an episode, predicted from its start.

    The episode is replayed up to there.
    """
    episode = read_episode(job.path)
    env, mirror = envs_of(job.env)
    rng = np.random.default_rng([episode.meta["seed"], episode.meta["index"]])
    found = []
    for segment in segments_of([episode], Precomputed.context, HORIZON):
        points = lay_out(env, episode.meta["seed"], episode.meta["index"], job.num_objects)
        for action in episode.actions[: segment.start]:
            env.move(action)
        places = np.array([(pixel.row, pixel.col) for pixel, _ in map(env.where, points)])
        if np.abs(places - episode.tracks[segment.start]).max() > SAME_PX:
            raise RuntimeError(
                f"{job.path} was collected by another version of the env: collect it again"
            )
        resting = first_maps(torch.from_numpy(segment.places[:1]), env.info.frame_size)
        maps = resting[:, None].repeat(1, HORIZON, 1, 1, 1).numpy()
        slots, numbers = _numbers(segment, episode)
        if len(slots):
            chosen = [points[number] for number in numbers]
            maps[:, :, slots] = predict_maps(env, mirror, chosen, segment.actions[None], rng)
        found.append(maps)
    return found


def _numbers(segment: Segment, episode: Episode) -> tuple[np.ndarray, list[int]]:
    """Return which slots of a segment hold points, and these points' numbers in the episode."""
    slots = np.flatnonzero(segment.kinds != PADDING)
    ahead = episode.tracks[segment.start : segment.start + HORIZON + 1]
    same = [(ahead == segment.places[:, slot : slot + 1]).all((0, 2)) for slot in slots]
    return slots, [int(np.flatnonzero(each)[0]) for each in same]


def predict_contact(job: BankJob) -> tuple[ContactState, np.ndarray]:
    """Return a contact state, and the pixel maps (n t 1 h w) of its candidates."""
    contact = find_contact_state(job)
    env, mirror = envs_of(job.env)
    point = env.pick(Pixel(*contact.source.tolist()))
    rng = np.random.default_rng([job.seed, job.index])
    return contact, predict_maps(env, mirror, [point], contact.candidates, rng)


def measure(data: Path, states: int, workers: int) -> dict:
    """Return the figures of `evaluate prediction` and `evaluate ranking` for these predictions."""
    return {
        "data": str(data),
        "prediction": measure_prediction(data, workers),
        "ranking": measure_ranking(states, workers),
    }


def measure_prediction(data: Path, workers: int) -> dict:
    """Return figures of pixels at some steps, on a folder of episodes."""
    episodes = Episodes(data)
    num_objects = episodes.info.collection["num_objects"]
    jobs = [
        EpisodeJob(episode_path(data, number), episodes.info.env, num_objects)
        for number in episodes.numbers
    ]
    maps_of = {}
    for job, maps in run_parallel(predict_episode, jobs, workers, "episodes"):
        maps_of[job.path] = maps
    predictor = Precomputed([maps for job in jobs for maps in maps_of[job.path]])
    recorded = [episodes[index] for index in range(len(episodes))]
    steps = evaluate_prediction(predictor, recorded, HORIZON)["steps"]
    wanted = ("error_px", "interval_px", "still_px", "ratio", "interval_ratio")
    return {
        step: {name: steps[step][name] for name in wanted} for step in ("1", "3", "6", "10")
    }


def measure_ranking(states: int, workers: int) -> dict:
    """Return figures of the ranking of candidates, on the published bank of contact states."""
    jobs = [BankJob(0, index, CANDIDATES, HORIZON) for index in range(states)]
    found = dict(run_parallel(predict_contact, jobs, workers, "contact states"))
    bank = [found[job][0] for job in jobs]
    predictor = Precomputed([found[job][1] for job in jobs])
    return rank_candidates(predictor, bank)


def main() -> None:
    """Measure, and write the figures to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/bench_limits", description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("data/judge"), help="episodes of the pushing table"
    )
    parser.add_argument("--states", type=int, default=50, help="contact states")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    figures = measure(given.data, given.states, given.workers)
    if given.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    for step, found in figures["prediction"].items():
        low, high = found["interval_ratio"]
        sys.stdout.write(
            f"step {step}: pixel error over still {found['ratio']:.2f} [{low:.2f}, {high:.2f}]\n"
        )
    for name in ("spearman", "regret"):
        low, high = figures["ranking"][f"interval_{name}"]
        sys.stdout.write(f"{name} {figures['ranking'][name]:.2f} [{low:.2f}, {high:.2f}]\n")


if __name__ == "__main__":
    main()
