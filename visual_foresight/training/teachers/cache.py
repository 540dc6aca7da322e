"""Points followed through many episodes, kept in a file: following takes minutes, and other
runs on the episodes need them too.

A file's name says which episodes they are of and how they were followed, so one that does not
fit is not found.
"""

import hashlib
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.system.files import replacing
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.rigid_tracks import scenery
from visual_foresight.training.teachers.rigid_tracks import teacher as tracks
from visual_foresight.training.teachers.rigid_tracks.scenery import Scenery
from visual_foresight.training.teachers.rigid_tracks.teacher import follow_points
from visual_foresight.vision import optical_flow


def points_of(
    training_episodes: Sequence[PackedEpisode],
    others: Sequence[PackedEpisode],
    homography: Float[np.ndarray, "3 3"],
    folder: Path,
    progress: bool = False,
) -> tuple[list[PointTracks], list[PointTracks]]:
    """Return the points of episodes to learn from, and of others seen by the same camera, from
    a file or followed now.

    Args:
        lessons: What table and arm look like is learnt from these alone.
        others: Held-out episodes.
        homography: From (row, col, 1) to the robot's (x, y, 1), see `interfaces.Env.homography`.
        folder: Where the file is, or is written to.
        progress: Whether to show a bar.
    """
    episodes = [*training_episodes, *others]
    path = folder / f"points_{_key(episodes, len(training_episodes), homography)}.npz"
    found = _read(path) if path.exists() else None
    if found is None:
        known = Scenery.learn(training_episodes, homography)
        with ThreadPoolExecutor(2) as pool:  # OpenCV works without the interpreter's lock
            following = pool.map(
                lambda each: follow_points(each.frames[:], each.states, known), episodes
            )
            bar = tqdm(
                following,
                "following points",
                len(episodes),
                unit="episode",
                disable=not progress,
            )
            found = list(bar)
        _write(path, found)
    return found[: len(training_episodes)], found[len(training_episodes) :]


def _key(
    episodes: Sequence[PackedEpisode], num_training: int, homography: Float[np.ndarray, "3 3"]
) -> str:
    """Tell episodes, cameras and ways of following points from others."""
    digest = hashlib.sha256(str((num_training, homography.tolist())).encode())
    for module in (optical_flow, scenery, tracks):
        digest.update(Path(str(module.__file__)).read_bytes())
    for episode in episodes:
        for part in (episode.actions, episode.states, episode.frames[-1:]):
            digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]


def _write(path: Path, found: Sequence[PointTracks]) -> None:
    shapes = np.array([each.valid.shape for each in found])
    places = np.concatenate([each.places.reshape(-1, 2) for each in found])
    valid, hidden = (
        np.concatenate([getattr(each, name).reshape(-1) for each in found])
        for name in ("valid", "hidden")
    )
    with replacing(path) as temporary:
        np.savez(temporary, shapes=shapes, places=places, valid=valid, hidden=hidden)


def _read(path: Path) -> list[PointTracks] | None:
    """Return what is in a file; None when it is damaged, so that it is made anew."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            shapes, places, valid, hidden = (
                file[name] for name in ("shapes", "places", "valid", "hidden")
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    ends = np.cumsum(shapes.prod(1))[:-1]
    parts = zip(
        shapes, *(np.split(each, ends) for each in (places, valid, hidden)), strict=True
    )
    return [
        PointTracks(p.reshape(*shape, 2), v.reshape(shape), h.reshape(shape))
        for shape, p, v, h in parts
    ]
