"""The teacher `optical_flow`: single points, followed by frames alone, whatever they are on.

It needs no calibration and knows neither table nor arm, so points on the arm are followed, too,
and none is followed behind it. Where nothing changes nothing moves, also without texture; elsewhere
a point is followed as long as it returns to its place when it is followed backward.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.vision import optical_flow

PROTOCOL = 1
"""Raise it when a change of this file changes points. Constants count by themselves."""
ROUND_STEPS = 4  # between rounds of new points, so that every clip has fresh ones
NUM_CHANGING, NUM_OTHERS = (
    20,
    10,
)  # new points per round: where the frame will change, elsewhere
WINDOW_PX = 7  # side of what is compared
REST_DIFFERENCE = 4  # of 255: what changes less, all over the window, is taken to rest
MIN_TEXTURE = 1e-3  # smallest eigenvalue of the structure tensor (Shi and Tomasi 1994)
MAX_RETURN_PX = 0.5  # a point that returns less exactly, when followed backward, is lost


class OpticalFlow:
    """A `Teacher` that follows textured points from frame to frame (Lucas-Kanade)."""

    needs_calibration = False

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return everything that decides the points besides the data: see `Teacher.settings`."""
        own = {name: value for name, value in globals().items() if name.isupper()}
        return {**own, "protocol": PROTOCOL, "optical_flow": optical_flow.PROTOCOL}

    def prepare(
        self, episodes: Sequence[PackedEpisode], homography: Float[np.ndarray, "3 3"] | None
    ) -> Callable[[PackedEpisode], PointTracks]:
        """Return what follows points through an episode: see `Teacher.prepare`."""

        def follow(episode: PackedEpisode) -> PointTracks:
            return follow_points(episode.frames[:])

        return follow


def follow_points(frames: UInt8[np.ndarray, "t h w 3"]) -> PointTracks:
    """Follow points through the frames of an episode; none is ever said to be hidden."""
    rng = np.random.default_rng(0)  # which points are chosen does not matter
    num_frames = len(frames)
    rests = [_rests(*pair) for pair in zip(frames[:-1], frames[1:], strict=True)]
    rounds = []
    for first in range(0, num_frames - 1, ROUND_STEPS):
        found = _new_points(frames[first], rests[first : first + ROUND_STEPS], rng)
        places = np.zeros((num_frames, len(found), 2), np.float32)
        valid = np.zeros((num_frames, len(found)), bool)
        places[first], valid[first] = found, True
        for t in range(first, num_frames - 1):
            alive = np.flatnonzero(valid[t])
            places[t + 1, alive], valid[t + 1, alive] = _next_places(
                frames[t], frames[t + 1], places[t, alive], rests[t]
            )
        rounds.append(PointTracks(places, valid, np.zeros_like(valid)))
    return PointTracks.joined([PointTracks.none(num_frames), *rounds])


def _next_places(
    before: UInt8[np.ndarray, "h w 3"],
    after: UInt8[np.ndarray, "h w 3"],
    places: Float32[np.ndarray, "k 2"],
    rests: Bool[np.ndarray, "h w"],
) -> tuple[Float32[np.ndarray, "k 2"], Bool[np.ndarray, " k"]]:
    """Return where points are in the next frame, and which are known there."""
    there = places.copy()
    resting = _read(rests, places)
    known = resting.copy()
    moving = np.flatnonzero(~resting & (_read(_texture(before), places) > MIN_TEXTURE))
    if len(moving):
        end, sure = optical_flow.follow(before, after, places[moving], WINDOW_PX, MAX_RETURN_PX)
        last = np.array(before.shape[:2]) - 1
        sure &= ((end >= 0) & (end <= last)).all(-1)
        there[moving], known[moving] = end, sure
    return there, known


def _new_points(
    frame: UInt8[np.ndarray, "h w 3"],
    rests: Sequence[Bool[np.ndarray, "h w"]],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k 2"]:
    """Return random places, most of them where the next frames change and there is texture."""
    changing = ~np.logical_and.reduce(rests)
    followable = changing & (_texture(frame) > MIN_TEXTURE)
    chosen = []
    for mask, count in ((followable, NUM_CHANGING), (~changing, NUM_OTHERS)):
        pixels = np.argwhere(mask)
        chosen.append(rng.permutation(pixels)[:count])
    return np.concatenate(chosen).astype(np.float32)


def _rests(
    before: UInt8[np.ndarray, "h w 3"], after: UInt8[np.ndarray, "h w 3"]
) -> Bool[np.ndarray, "h w"]:
    """Tell around which pixels nothing changes from a frame to the next."""
    change = cv2.absdiff(before, after).max(-1)
    window = np.ones((WINDOW_PX, WINDOW_PX), np.uint8)
    return np.asarray(cv2.dilate(change, window) < REST_DIFFERENCE)


def _texture(frame: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """Return how well the surroundings of each pixel can be told from those beside them."""
    channels = np.moveaxis(frame, -1, 0)
    found = [cv2.cornerMinEigenVal(np.ascontiguousarray(each), 3) for each in channels]
    return np.asarray(np.max(found, 0))


def _read(image: np.ndarray, places: Float32[np.ndarray, "k 2"]) -> np.ndarray:
    """Return the pixels of an image nearest to places (row, col)."""
    last = np.array(image.shape[:2]) - 1
    rows, cols = np.round(places).astype(int).clip(0, last).T
    return np.asarray(image[rows, cols])
