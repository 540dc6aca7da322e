"""The teacher `patches`: points whose surroundings are found again, frame by frame.

It looks at frames alone, so it needs no calibration. It compares with the frame in which a point
was found, so it does not drift; what looks otherwise than there, the finger before it say, is lost.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks

PROTOCOL = 1  # raise it when a change of this file changes points: kept ones are made anew then
ROUND_STEPS = 4  # between rounds of new points: every clip should find some at its beginning
SPACING_PX = 5  # between the points of a round
RADIUS_PX = 3  # of the surroundings that are compared
SEARCH_PX = 5  # how far a point moves in a step, an axis, at most
MAX_DIFFERENCE = 12.0  # of 255, root mean square: what differs more is another thing
REST_DIFFERENCE = 2.0  # what differs less where it was is taken to rest
MARGIN_PX = RADIUS_PX + SEARCH_PX  # by which frames are widened
MIN_TEXTURE = 5.0  # standard deviation, of 255: what has less is found everywhere


class Patches:
    """A `Teacher`: it is built from nothing."""

    needs_calibration = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return all that decides the points but the data: points are kept by it."""
        own = {name: value for name, value in globals().items() if name.isupper()}
        return {**own, "protocol": PROTOCOL}

    def prepare(
        self, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"] | None
    ) -> Callable[[PackedEpisode], PointTracks]:
        """Return what follows points through an episode. Nothing is learnt from others first."""
        return lambda episode: _follow(episode.frames[:])


def _follow(frames: UInt8[np.ndarray, "t h w 3"]) -> PointTracks:
    """Follow rounds of points through the frames of an episode."""
    num_frames, height, width, _ = frames.shape
    rows, cols = range(RADIUS_PX, height, SPACING_PX), range(RADIUS_PX, width, SPACING_PX)
    starts = [np.array(start) for start in product(rows, cols)]
    margin = (MARGIN_PX, MARGIN_PX)
    wide = np.pad(frames, ((0, 0), margin, margin, (0, 0)), "edge")
    rounds = [PointTracks.none(num_frames)]
    for first in range(0, num_frames - 1, ROUND_STEPS):
        places = np.zeros((num_frames, len(starts), 2), np.float32)
        valid = np.zeros((num_frames, len(starts)), bool)
        for point, start in enumerate(starts):
            patch = _around(wide[first], start, RADIUS_PX)
            places[first, point], valid[first, point] = start, True
            place: np.ndarray | None = start
            for t in range(first + 1, num_frames):
                if place is not None:
                    place = _find(wide[t], patch, place)
                if place is not None:
                    places[t, point], valid[t, point] = place, True
        rounds.append(PointTracks(places, valid, hidden=np.zeros_like(valid)))
    return PointTracks.joined(rounds)


def _find(
    wide: UInt8[np.ndarray, "wide_h wide_w 3"],
    patch: UInt8[np.ndarray, "d d 3"],
    last: np.ndarray,
) -> np.ndarray | None:
    """Return where (row, col) a patch is in a widened frame, near its last place, or None."""
    squares = cv2.matchTemplate(_around(wide, last, MARGIN_PX), patch, cv2.TM_SQDIFF)
    squares = squares / patch.size
    if squares[SEARCH_PX, SEARCH_PX] <= REST_DIFFERENCE**2:
        return last
    row, col = np.unravel_index(int(squares.argmin()), squares.shape)
    if squares[row, col] > MAX_DIFFERENCE**2 or patch.std((0, 1)).max() < MIN_TEXTURE:
        return None
    place = last + np.array([row, col]) - SEARCH_PX
    size = np.array(wide.shape[:2]) - 2 * MARGIN_PX
    return place if (place >= 0).all() and (place < size).all() else None


def _around(
    wide: UInt8[np.ndarray, "wide_h wide_w 3"], place: np.ndarray, radius_px: int
) -> UInt8[np.ndarray, "d d 3"]:
    """Return the square around a pixel of the frame that was widened."""
    row, col = place + MARGIN_PX - radius_px
    side = 2 * radius_px + 1
    return wide[row : row + side, col : col + side]
