"""Points that were followed through episodes, kept in a file for other runs on these episodes.

Following takes minutes. A file's name is a hash of the episodes and of everything that decides
how they were followed, so that a file that does not fit is never read.
"""

import hashlib
import json
import logging
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
from visual_foresight.training.teachers.registry import teacher_of

logger = logging.getLogger(__name__)


def points_of(
    teacher: str,
    training_episodes: Sequence[PackedEpisode],
    others: Sequence[PackedEpisode],
    homography: Float[np.ndarray, "3 3"] | None,
    folder: Path,
    progress: bool = False,
) -> tuple[list[PointTracks], list[PointTracks]]:
    """Return points of training episodes and of others, from a file or followed now.

    Args:
        teacher: a key of `TEACHERS`.
        training_episodes: what scene and arm look like is learnt from these alone.
        others: held-out episodes of the same camera.
        homography: from (row, col, 1) to the robot's (x, y, 1), see `env_info.Homography`; None
            where the camera is not calibrated.
        folder: where the file is, or is written to.
        progress: show a progress bar on stderr.
    """
    episodes = [*training_episodes, *others]
    num_training = len(training_episodes)
    path = points_path(folder, teacher, episodes, num_training, homography)
    tracks = _read(path) if path.exists() else None
    if tracks is None:
        follow = teacher_of(teacher).prepare(training_episodes, homography)
        with ThreadPoolExecutor(2) as pool:  # OpenCV works without the interpreter's lock
            bar = tqdm(
                pool.map(follow, episodes),
                "following points",
                len(episodes),
                unit="episode",
                disable=not progress,
            )
            tracks = list(bar)
        try:
            _write(path, tracks)
        except OSError as error:  # they are here, only later runs must follow them again
            logger.warning("the points are not kept in %s: %s", folder, error.strerror)
    return tracks[:num_training], tracks[num_training:]


def points_path(
    folder: Path,
    teacher: str,
    episodes: Sequence[PackedEpisode],
    num_training: int,
    homography: Float[np.ndarray, "3 3"] | None,
) -> Path:
    """Return the file for the points of these episodes, of which the first are for training.

    Its name depends on the episodes, the camera, and the teacher with its settings.
    """
    calibration = None if homography is None else homography.tolist()
    settings = (teacher, dict(teacher_of(teacher).settings), num_training, calibration)
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for episode in episodes:
        digest.update(episode.digest())
    return folder / f"points_{digest.hexdigest()[:16]}.npz"


def _write(path: Path, tracks: Sequence[PointTracks]) -> None:
    with replacing(path) as temporary:
        np.savez(
            temporary,
            shapes=np.array([each.valid.shape for each in tracks]),
            places=np.concatenate([each.places.reshape(-1, 2) for each in tracks]),
            valid=np.concatenate([each.valid.reshape(-1) for each in tracks]),
            hidden=np.concatenate([each.hidden.reshape(-1) for each in tracks]),
        )


def _read(path: Path) -> list[PointTracks] | None:
    """Return what is in a file; None when it is damaged, so that it is made anew."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            shapes = file["shapes"]
            places = file["places"]
            valid = file["valid"]
            hidden = file["hidden"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    tracks = []
    begin = 0
    for num_frames, num_points in shapes:
        part = slice(begin, begin + num_frames * num_points)
        tracks.append(
            PointTracks(
                places[part].reshape(num_frames, num_points, 2),
                valid[part].reshape(num_frames, num_points),
                hidden[part].reshape(num_frames, num_points),
            )
        )
        begin = part.stop
    return tracks
