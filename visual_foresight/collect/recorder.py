"""One episode: a scene, an explorer in it, and what judges will want to know about it (tracks, and what moved)."""

from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.collect.explorers.sweeps import Explorer, colorful_places
from visual_foresight.interfaces import Env
from visual_foresight.types import Episode, Observation, Pixel

NUM_TRACKS = {"object": 8, "arm": 4, "background": 4}
MAX_PROBES = 240  # pixels looked at to find the points to follow
MOVED_M = 0.002  # what an object must move in a step to count as moving


def record_episode(
    env: Env,
    seed: int,
    index: int,
    num_steps: int,
    num_objects: int | None = None,
    privileged: bool = False,
) -> Episode:
    """Explore a new scene.

    Args:
        env: a world; what it went through before does not matter.
        seed: with `index`, decides everything.
        index: the episode's number.
        num_steps: actions to take.
        num_objects: as the env's option; drawn when absent.
        privileged: aim at the objects' true places, for data with more contact than a robot
            could make by itself.

    Returns:
        The episode; its notes say which kind of point each track follows, and in which steps an
        object moved.
    """
    points = lay_out(env, seed, index, num_objects)
    find = (lambda _: env.truth()[:, :2]) if privileged else colorful_places(env.homography)
    explorer, rng = (
        Explorer(env.workspace, find),
        np.random.default_rng(_chances(seed, index)[1]),
    )
    observations, places = [env.observe()], [env.truth()[:, :3]]
    actions, tracks = [], [_follow(env, points)]
    for _ in range(num_steps):
        actions.append(explorer.act(observations[-1], rng))
        seen, *_ = env.step(actions[-1])
        observations.append(Observation(seen["frame"], seen["state"]))
        places.append(env.truth()[:, :3])
        tracks.append(_follow(env, points))
    moves_m = np.linalg.norm(np.diff(places, axis=0), axis=-1)
    return Episode(
        actions=np.stack(actions),
        frames=np.stack([observation.frame for observation in observations]),
        states=np.stack([observation.state for observation in observations]),
        tracks=np.stack(tracks),
        meta={
            "seed": seed,
            "index": index,
            "num_objects": len(places[0]),
            "track_kinds": [point.kind for point in points],
            "object_moved": (moves_m.max(axis=1, initial=0) > MOVED_M).tolist(),
        },
    )


def lay_out(env: Env, seed: int, index: int, num_objects: int | None = None) -> list[Any]:
    """Lay out the scene of an episode (see `record_episode`), and return the points that are followed in it."""
    scene, _, probing = _chances(seed, index)
    env.reset(
        seed=int(scene.generate_state(1)[0]),
        options=None if num_objects is None else {"num_objects": num_objects},
    )
    return _points_to_follow(env, np.random.default_rng(probing))


def _chances(seed: int, index: int) -> list[np.random.SeedSequence]:
    """Return what decides the scene, the actions, and the points that are followed."""
    return np.random.SeedSequence([seed, index]).spawn(3)


def _points_to_follow(env: Env, rng: np.random.Generator) -> list[Any]:
    """Pick points at random pixels until there are enough of each kind.

    Half of the probes are beside an object seen.
    """
    height, width = env.frame_size
    wanted, points = dict(NUM_TRACKS), []
    on_objects: list[tuple[int, int]] = []
    for probe in range(MAX_PROBES):
        row, col = rng.integers(height), rng.integers(width)
        if on_objects and probe % 2:
            seen = on_objects[rng.integers(len(on_objects))]
            row, col = np.clip(np.add(seen, rng.integers(-3, 4, 2)), 0, (height - 1, width - 1))
        point = env.pick(Pixel(float(row), float(col)))
        if point.kind == "object":
            on_objects.append((int(row), int(col)))
        if wanted.get(point.kind, 0):
            wanted[point.kind] -= 1
            points.append(point)
        if not any(wanted.values()):
            break
    return points


def _follow(env: Env, points: list[Any]) -> Float[np.ndarray, "p 2"]:
    pixels = [env.where(point)[0] for point in points]
    return np.array([(pixel.row, pixel.col) for pixel in pixels], np.float32).reshape(-1, 2)
