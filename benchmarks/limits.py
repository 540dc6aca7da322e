"""How well could anything foresee the pushing table? `scripts/bench_limits`: the ceilings of
prediction. For judges only.

The simulator foresees, told what a very good eye could tell from one frame: true shapes,
objects at rest where they are, give or take 2 mm and 2 degrees (a quarter of a pixel). Masses
and frictions, which cannot be seen, are drawn anew. The mean of four such guesses is judged as
any predictor is.
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
    MADE_UP,
    Segment,
    batch_of,
    segments_of,
)
from visual_foresight.evaluation.ranking.command import rank_candidates
from visual_foresight.evaluation.ranking.contact_states import (
    BankJob,
    ContactState,
    envs_of,
    find_contact_state,
)
from visual_foresight.interfaces import Env
from visual_foresight.predictors.baselines.simulator import Carry, Simulator
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import Clip, Episode, Pixel, Prediction
from visual_foresight.vision.pixel_maps import map_size_of

HORIZON, CANDIDATES = 12, 64
GUESSES = 4
MISPLACED_M, TURNED_RAD = 0.002, np.deg2rad(2)
SAME_PX = 0.05  # a replayed episode is the recorded one


@dataclass(frozen=True)
class EpisodeJob:
    """An episode whose stretches are to be foreseen."""

    path: Path
    env: str
    num_objects: int | None


class Foreseen:
    """Says what was foreseen before.

    Pixel maps, in the order in which a judge asks; frames are those of `still`.
    """

    context = 1

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        self._maps = iter(torch.from_numpy(np.concatenate(maps)))

    def observe(self, clip: Clip) -> torch.Tensor:
        """Return the newest frame."""
        return clip.frames[:, -1]

    def imagine(self, carry, actions, pixel_maps, decode=False) -> Prediction:
        """Return the next maps (see `interfaces.Predictor`)."""
        maps = torch.stack([next(self._maps) for _ in actions])
        frames = repeat(carry, "b c h w -> b t c h w", t=actions.shape[1] if decode else 0)
        size = (carry.shape[-2], carry.shape[-1])
        return Prediction(frames, maps, torch.zeros(maps.shape[:3]), None, frame_size=size)


def guess(snapshot: Snapshot, rng: np.random.Generator) -> Snapshot:
    """Return the scene as a very good eye might take it to be."""
    drawn = [random_spec(rng, held_out=False) for _ in snapshot.specs]
    specs = [
        replace(spec, mass_kg=one.mass_kg, friction=one.friction)
        for spec, one in zip(snapshot.specs, drawn, strict=True)
    ]
    return replace(
        snapshot,
        specs=tuple(specs),
        bodies=tuple(_misplaced(body, rng) for body in snapshot.bodies),
    )


def _misplaced(body: BodyState, rng: np.random.Generator) -> BodyState:
    x, y, z = body.position
    dx, dy = rng.normal(0, MISPLACED_M, 2)
    turned = Rotation.from_euler("z", rng.normal(0, TURNED_RAD)) * Rotation.from_quat(
        body.orientation
    )
    return BodyState(
        (x + dx, y + dy, z), tuple(turned.as_quat().tolist()), (0, 0, 0), (0, 0, 0)
    )


def foresee(
    env: Env, mirror: Env, points: Sequence, actions: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return the pixel maps (n t p h w) of points in an env, under n sequences of actions.

    The mean over the guesses.
    """
    simulator, snapshot = Simulator(env, mirror, tuple(points)), env.save()
    empty = torch.zeros(len(actions), len(points), *map_size_of(env.frame_size))
    carries = [Carry(guess(snapshot, rng)) for _ in range(GUESSES)]
    maps = [
        simulator.imagine(carry, torch.from_numpy(actions), empty).pixel_maps
        for carry in carries
    ]
    return torch.stack(maps).mean(0).numpy()


def foresee_episode(job: EpisodeJob) -> list[np.ndarray]:
    """Return the maps (1 t p h w) of each stretch of an episode that is judged, after what really came before it."""
    episode = read_episode(job.path)
    env, mirror = envs_of(job.env)
    rng = np.random.default_rng([episode.meta["seed"], episode.meta["index"]])
    found = []
    for segment in segments_of([episode], Foreseen.context, HORIZON):
        points = lay_out(env, episode.meta["seed"], episode.meta["index"], job.num_objects)
        for action in episode.actions[: segment.now]:
            env.move(action)
        there = np.array([(pixel.row, pixel.col) for pixel, _ in map(env.where, points)])
        if np.abs(there - episode.tracks[segment.now]).max() > SAME_PX:
            raise RuntimeError(
                f"{job.path} was collected by another version of the env: collect it again"
            )
        maps = batch_of([segment]).maps[:, None].repeat(1, HORIZON, 1, 1, 1).numpy()
        slots, numbers = _numbers(segment, episode)
        if len(slots):
            chosen = [points[number] for number in numbers]
            maps[:, :, slots] = foresee(env, mirror, chosen, segment.actions[None], rng)
        found.append(maps)
    return found


def _numbers(segment: Segment, episode: Episode) -> tuple[np.ndarray, list[int]]:
    """Return which of a window's slots are points, and the numbers of these points in the episode."""
    slots = np.flatnonzero(segment.kinds != MADE_UP)
    ahead = episode.tracks[segment.now : segment.now + HORIZON + 1]
    same = [(ahead == segment.places[:, slot : slot + 1]).all((0, 2)) for slot in slots]
    return slots, [int(np.flatnonzero(each)[0]) for each in same]


def foresee_contact(job: BankJob) -> tuple[ContactState, np.ndarray]:
    """Return a contact state, and the maps (n t 1 h w) of its candidates."""
    contact = find_contact_state(job)
    env, mirror = envs_of(job.env)
    point = env.pick(Pixel(*contact.source.tolist()))
    return contact, foresee(
        env, mirror, [point], contact.candidates, np.random.default_rng([job.seed, job.index])
    )


def measure(data: Path, states: int, workers: int) -> dict:
    """Return the figures of `evaluate prediction` and `evaluate ranking` for what was foreseen."""
    episodes = Episodes(data)
    how = episodes.info.collection
    jobs = [
        EpisodeJob(episode_path(data, number), episodes.info.env, how["num_objects"])
        for number in episodes.numbers
    ]
    seen = {
        job.path: maps for job, maps in run_parallel(foresee_episode, jobs, workers, "episodes")
    }
    maps = [each for job in jobs for each in seen[job.path]]
    steps = evaluate_prediction(
        Foreseen(maps), [episodes[index] for index in range(len(episodes))], HORIZON
    )["steps"]
    wanted = ("error_px", "interval_px", "still_px", "ratio", "interval_ratio")
    bank = [BankJob(0, index, CANDIDATES, HORIZON) for index in range(states)]
    found = {
        job.index: one
        for job, one in run_parallel(foresee_contact, bank, workers, "contact states")
    }
    contacts = [found[index] for index in range(states)]
    ranking = rank_candidates(
        Foreseen([maps for _, maps in contacts]), [contact for contact, _ in contacts]
    )
    return {
        "data": str(data),
        "prediction": {
            step: {name: steps[step][name] for name in wanted} for step in ("1", "3", "6", "10")
        },
        "ranking": ranking,
    }


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
