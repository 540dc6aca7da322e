"""Record one episode: what an explorer does in a scene, and what judges need to know of it."""

from typing import Any

import numpy as np
from jaxtyping import Float

from visual_foresight.collect.explorers.registry import DEFAULT_EXPLORER, EXPLORERS, Explorer
from visual_foresight.collect.targets import FindTargets, find_by_color
from visual_foresight.interfaces import Env, Judge, JudgedEnv, require_judge
from visual_foresight.types import Episode, Observation, Pixel, other_views_of, signals_of

NUM_TRACKS = {"object": 8, "arm": 4, "background": 4}
"""How many points of each kind are tracked, as far as enough are found."""
MAX_PROBES = 240  # random pixels at which points to track are looked for
MOVED_M = 0.002  # an object that moves more in a step counts as moving


def record_episode(
    env: Env,
    seed: int,
    index: int,
    num_steps: int,
    num_objects: int | None = None,
    privileged: bool = False,
    explorer: str = DEFAULT_EXPLORER,
) -> Episode:
    """Let an explorer act in a new scene.

    Args:
        env: the world; its past does not matter.
        seed: with `index`, decides everything.
        index: the episode's number.
        num_steps: how many actions.
        num_objects: in the scene; as the env chooses when absent.
        privileged: aim at the objects' true places, for more contact than a robot would find by
            itself.
        explorer: a key of `explorers.registry.EXPLORERS`.

    Returns:
        The episode. Its `meta` says what kind of point each track follows, and in which steps an
        object moved; where there is no judge, there are no tracks, and it does not.

    Raises:
        UserError: the explorer needs what this world does not have.
    """
    points = lay_out(env, seed, index, num_objects)
    _, exploring, _ = _seeds(seed, index)
    rng = np.random.default_rng(exploring)
    policy = make_explorer(env, explorer, privileged)
    truth = _Truth(env, points) if isinstance(env, JudgedEnv) else None
    actions = []
    observations = [env.observe()]
    for _ in range(num_steps):
        actions.append(policy.act(observations[-1], rng))
        seen, *_ = env.step(actions[-1])
        observations.append(Observation.of(seen))
        if truth is not None:
            truth.note()
    no_tracks = np.zeros((num_steps + 1, 0, 2), np.float32)
    return Episode(
        actions=np.stack(actions),
        frames=np.stack([observation.frame for observation in observations]),
        states=np.stack([observation.state for observation in observations]),
        tracks=no_tracks if truth is None else np.stack(truth.tracks),
        meta={"seed": seed, "index": index, **({} if truth is None else truth.notes())},
        signals=signals_of(observations),
        other_views=other_views_of(observations),
    )


def make_explorer(env: Env, name: str, privileged: bool = False) -> Explorer:
    """Return a new explorer for an env (see `record_episode`).

    Raises:
        UserError: it needs what this world does not have, or cannot act.
    """
    built = EXPLORERS[name](env.info, _finder(env, privileged))
    explorer: Explorer = EXPLORERS.require(name, built, Explorer)
    return explorer


class _Truth:
    """What the judge says while an episode is recorded.

    Args:
        env: at the start of the episode.
        points: the points to track.
    """

    def __init__(self, env: JudgedEnv, points: list[Any]) -> None:
        self._env = env
        self._points = points
        self._places: list[Float[np.ndarray, "k 3"]] = []
        self.tracks: list[Float[np.ndarray, "p 2"]] = []
        self.note()

    def note(self) -> None:
        """Note where everything is now."""
        self._places.append(self._env.truth()[:, :3])
        self.tracks.append(_track(self._env, self._points))

    def notes(self) -> dict[str, Any]:
        """Return what the episode's notes say of objects and tracks."""
        moves_m = np.linalg.norm(np.diff(self._places, axis=0), axis=-1)
        return {
            "num_objects": len(self._places[0]),
            "track_kinds": [point.kind for point in self._points],
            "object_moved": (moves_m.max(axis=1, initial=0) > MOVED_M).tolist(),
        }


def lay_out(env: Env, seed: int, index: int, num_objects: int | None = None) -> list[Any]:
    """Lay out the scene of an episode (see `record_episode`).

    Returns:
        The points to track, as `Judge.pick` returns them; none without a judge.
    """
    scene, _, probing = _seeds(seed, index)
    env.reset(
        seed=int(scene.generate_state(1)[0]),
        options=None if num_objects is None else {"num_objects": num_objects},
    )
    if not isinstance(env, JudgedEnv):
        return []
    return _pick_points(env, np.random.default_rng(probing))


def _seeds(seed: int, index: int) -> list[np.random.SeedSequence]:
    """Return the seeds of the scene, of the actions, and of the points to track."""
    return np.random.SeedSequence([seed, index]).spawn(3)


def _finder(env: Env, privileged: bool) -> FindTargets | None:
    """Return what finds targets: truly, by colour, or not at all without a calibration."""
    if privileged:
        return _true_places(require_judge(env, "aiming at the objects' true places"))
    view = env.info.view
    if view.homography is None:
        return None
    return find_by_color(view.calibration("finding targets by colour"))


def _true_places(env: Judge) -> FindTargets:
    """Return a finder of the objects' true places."""

    def find(observation: Observation) -> Float[np.ndarray, "k 2"]:
        return env.truth()[:, :2]

    return find


def _pick_points(env: JudgedEnv, rng: np.random.Generator) -> list[Any]:
    """Pick points at random pixels until there are enough of each kind.

    As soon as a probe has met an object, every second one is near such a pixel.
    """
    height, width = env.info.frame_size
    wanted = dict(NUM_TRACKS)
    points = []
    on_objects: list[tuple[int, int]] = []
    for probe in range(MAX_PROBES):
        row, col = rng.integers(height), rng.integers(width)
        if on_objects and probe % 2:
            near = np.add(on_objects[rng.integers(len(on_objects))], rng.integers(-3, 4, 2))
            row, col = np.clip(near, 0, (height - 1, width - 1))
        point = env.pick(Pixel(float(row), float(col)))
        if point.kind == "object":
            on_objects.append((int(row), int(col)))
        if wanted.get(point.kind, 0):
            wanted[point.kind] -= 1
            points.append(point)
        if not any(wanted.values()):
            break
    return points


def _track(env: Judge, points: list[Any]) -> Float[np.ndarray, "p 2"]:
    """Return the present place of each point in the frame, (row, col)."""
    pixels = [env.where(point)[0] for point in points]
    return np.array([(pixel.row, pixel.col) for pixel in pixels], np.float32).reshape(-1, 2)
