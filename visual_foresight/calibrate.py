"""Estimate where a camera stands from episodes alone, and write it into their dataset.

What needs a calibrated camera (`rigid`, `flow`, the explorer `sweeps`, proposed pushes) can then be
used with a robot whose camera nobody measured. The homography is that of the plane in which the
hand touches things, so its own height need not be known; the first two numbers of the robot's
state are taken to be (x, y), in metres. A person may give places instead, clicked and measured.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float
from tqdm import tqdm

from visual_foresight.env_info import Homography
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, read_info, write_info
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.source import EpisodeSource
from visual_foresight.system.files import expanded
from visual_foresight.types import UserError
from visual_foresight.vision.hand_eye import HandEye, Touches, find_touches, fit_hand_eye
from visual_foresight.vision.homography import apply_homography

FEWEST_PAIRS = 4  # a homography has eight numbers, and a pair gives two


@dataclass(frozen=True)
class CalibrateConfig:
    """Which data, and what to estimate from."""

    data: Path
    """Folder of episodes in which the robot pushes things about."""
    pairs: Path | None = None
    """A CSV file with the columns row, col, x, y: pixels, and the places in metres, four or more,
    that are seen there. They are used instead of the episodes."""
    episodes: int = 400
    """Most episodes to look at, from the first on."""
    replace: bool = False
    """Whether a calibration that the dataset has already may be replaced."""
    dry_run: bool = False
    """Estimate and tell, but write nothing."""

    def __post_init__(self) -> None:
        if self.episodes < 1:
            raise UserError(f"episodes must be 1 or more, got {self.episodes}: raise it")


def calibrate(config: CalibrateConfig, progress: bool = True) -> Mapping[str, Any]:
    """Estimate the homography of a dataset's first view, and write it into `dataset.json`.

    Returns:
        The homography from pixels to metres, and how far it can be trusted. "spread" is how much
        places differ between estimates from parts of the data, in pixels and millimetres: what all
        of them have in common, such as a hand that is seen beside where it touches, is not in it.

    Raises:
        UserError: there is nothing to estimate from, the dataset has a calibration already, or its
            folder is not one of ours.
    """
    folder = expanded(config.data)
    info = read_info(folder)
    if info.homography is not None and not (config.replace or config.dry_run):
        raise UserError(
            f"{folder} has a calibration already: give --replace to replace it, or --dry-run to "
            "see what would be written"
        )
    if config.pairs is None:
        homography, figures = _from_episodes(open_episodes(folder), config.episodes, progress)
    else:
        homography, figures = _from_pairs(expanded(config.pairs))
    if not config.dry_run:
        write_info(folder, replace(info, homography=homography))
    written = None if config.dry_run else str(folder / INFO_NAME)
    return {
        "written": written,
        **figures,
        **_change(info, homography),
        "homography": homography,
    }


def _from_episodes(
    source: EpisodeSource, most: int, progress: bool
) -> tuple[Homography, dict[str, Any]]:
    """Estimate from where things begin to move."""
    if source.info.state_size < 2:
        raise UserError(
            "the first two numbers of the robot's state must be the hand's (x, y) in metres, and "
            f"these episodes have {source.info.state_size}: give --pairs instead"
        )
    positions = range(min(most, len(source.numbers)))
    found = []
    for position in tqdm(positions, "looking", unit="episode", disable=not progress):
        episode = source.packed(position)
        places = episode.states[:, :2].astype(np.float64)
        found.append(find_touches(episode.frames[:], places))
    if not found:
        raise UserError("there are no episodes to estimate from: collect some, or give --pairs")
    touches = Touches.joined(found)
    hand_eye = fit_hand_eye(touches)
    to_frame = _in_metres(hand_eye)
    homography = _plain(np.linalg.inv(to_frame))
    return homography, {
        "episodes": len(found),
        "steps_with_a_touch": hand_eye.num_steps,
        "touched_ahead_px": round(hand_eye.ahead_px, 2),
        "spread_px": round(hand_eye.spread_px, 2),
        "spread_mm": round(1000 * hand_eye.spread_px * _metres_per_pixel(to_frame, touches), 1),
    }


def _in_metres(hand_eye: HandEye) -> Float[np.ndarray, "3 3"]:
    """Return the homography from (x, y, 1) to (row, col, 1)."""
    matrix = hand_eye.matrix.copy()
    matrix[:, :2] /= hand_eye.scale
    matrix[:, 2] -= matrix[:, :2] @ hand_eye.mean
    return matrix


def _metres_per_pixel(to_frame: Float[np.ndarray, "3 3"], touches: Touches) -> float:
    """Return the root of the area on the plane that a pixel shows, where things are touched."""
    middle = np.median(touches.after, 0)
    around = middle + 1e-3 * np.array([[0, 0], [1, 0], [0, 1]])
    pixel, right, up = apply_homography(around, to_frame)
    return 1e-3 / float(np.sqrt(abs(np.linalg.det([right - pixel, up - pixel]))))


def _from_pairs(path: Path) -> tuple[Homography, dict[str, Any]]:
    """Estimate from places that were clicked and measured."""
    pairs = _read_pairs(path)
    pixels, places = pairs[:, :2], pairs[:, 2:]
    matrix, _ = cv2.findHomography(pixels, places)
    if matrix is None or np.linalg.matrix_rank(matrix / np.abs(matrix).max()) < 3:
        raise UserError(
            f"{path}: no homography goes through these pairs: give four or more that are spread "
            "over the table, no three of them in a line"
        )
    missed = np.linalg.norm(apply_homography(pixels, matrix) - places, axis=1)
    return _plain(matrix), {
        "pairs": len(pairs),
        "missed_mm": [round(1000 * float(each), 1) for each in missed],
    }


def _read_pairs(path: Path) -> Float[np.ndarray, "n 4"]:
    expected = "a CSV file with the columns row, col, x, y is expected"
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        pairs = np.array(
            [[float(row[name]) for name in ("row", "col", "x", "y")] for row in rows]
        )
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): {expected}") from error
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{path} has something else in it ({error}): {expected}") from error
    if len(pairs) < FEWEST_PAIRS or not np.isfinite(pairs).all():
        raise UserError(
            f"{path}: {FEWEST_PAIRS} pairs of finite numbers or more are needed, it has "
            f"{len(pairs)}: {expected}"
        )
    return pairs


def _change(info: DatasetInfo, homography: Homography) -> dict[str, Any]:
    """Return how far places in the frame are from where the dataset's calibration had them."""
    if info.homography is None:
        return {}
    height, width = info.frame_size
    rows, cols = np.mgrid[height // 4 : height : 4, 4 : width - 4 : 4]
    pixels = np.stack([rows.ravel(), cols.ravel()], 1)
    before = apply_homography(pixels, np.array(info.homography))
    after = apply_homography(pixels, np.array(homography))
    moved = np.linalg.norm(after - before, axis=1)
    return {"differs_from_before_mm": round(1000 * float(np.median(moved)), 1)}


def _plain(matrix: Float[np.ndarray, "3 3"]) -> Homography:
    scaled = matrix / np.abs(matrix).max()
    return tuple(tuple(float(value) for value in row) for row in scaled)
