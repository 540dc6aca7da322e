"""The teacher `optical_flow`: single points, followed by frames alone, whatever they are on.

It needs no calibration and knows neither table nor arm, so points on the arm are followed, too,
and none is followed behind it. Where nothing changes nothing moves, also without texture; elsewhere
a point is followed as long as it returns to its place when it is followed backward.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.vision import optical_flow

PROTOCOL = 2
"""Raise it when a change of this file changes points. Constants count by themselves."""
ROUND_STEPS = 4  # between rounds of new points, so that every clip has fresh ones
LIFE_STEPS = 64  # for which a point is followed: more than a clip has
NUM_ROUNDS = 2 * LIFE_STEPS // ROUND_STEPS  # whose points have columns of their own
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
    per_round = NUM_CHANGING + NUM_OTHERS
    num_columns = per_round * min(NUM_ROUNDS, ceil((num_frames - 1) / ROUND_STEPS))
    places = np.zeros((num_frames, num_columns, 2), np.float32)
    valid = np.zeros((num_frames, num_columns), bool)
    ends = np.zeros(num_columns, int)
    for t in range(num_frames - 1):
        texture = _texture(frames[t])
        if t % ROUND_STEPS == 0:
            found = _new_points(texture, rests[t : t + ROUND_STEPS], rng)
            # A column that had points before has had none for the length of a clip.
            begin = per_round * (t // ROUND_STEPS % NUM_ROUNDS)
            columns = slice(begin, begin + len(found))
            places[t, columns], valid[t, columns], ends[columns] = found, True, t + LIFE_STEPS
        alive = np.flatnonzero(valid[t] & (t < ends))
        places[t + 1, alive], valid[t + 1, alive] = _next_places(
            frames[t], frames[t + 1], texture, places[t, alive], rests[t]
        )
    used = valid.any(0)
    return PointTracks(places[:, used], valid[:, used], np.zeros_like(valid[:, used]))


def _next_places(
    before: UInt8[np.ndarray, "h w 3"],
    after: UInt8[np.ndarray, "h w 3"],
    texture: Float[np.ndarray, "h w"],
    places: Float32[np.ndarray, "k 2"],
    rests: Bool[np.ndarray, "h w"],
) -> tuple[Float32[np.ndarray, "k 2"], Bool[np.ndarray, " k"]]:
    """Return where points are in the next frame, and which are known there."""
    there = places.copy()
    resting = _read(rests, places)
    known = resting.copy()
    moving = np.flatnonzero(~resting & (_read(texture, places) > MIN_TEXTURE))
    if len(moving):
        end, sure = optical_flow.follow(before, after, places[moving], WINDOW_PX, MAX_RETURN_PX)
        last = np.array(texture.shape) - 1
        sure &= ((end >= 0) & (end <= last)).all(-1)
        there[moving], known[moving] = end, sure
    return there, known


def _new_points(
    texture: Float[np.ndarray, "h w"],
    rests: Sequence[Bool[np.ndarray, "h w"]],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k 2"]:
    """Return random places, most of them where the next frames change and there is texture."""
    changing = ~np.logical_and.reduce(rests)
    followable = changing & (texture > MIN_TEXTURE)
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
