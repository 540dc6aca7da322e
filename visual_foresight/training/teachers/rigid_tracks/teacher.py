"""What moved, and where it went, found in frames alone: the teacher of the pixel maps.

Training may use frames, actions and the robot's own state. What hangs together and is neither
table nor arm (`Scenery`) is taken for a rigid thing, or for a few that touch: its well-marked
pixels are followed to the next frame (Lucas-Kanade, OpenCV), rigid motions on the table are
fitted to them (RANSAC), and all its points are carried along, plain and hidden ones, too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.rigid_tracks.scenery import Scenery
from visual_foresight.vision.homography import apply_homography
from visual_foresight.vision.optical_flow import follow

WINDOW_PX = 5
SEED_EVERY = 4  # steps between rounds of new points, so that every clip has fresh ones
SEEDS, GROUND_SEEDS = 20, 10  # new points on things and on the table, per round
NEAR_PX, NEARER = 14.0, 4.0  # so near to the fingertip, so many times as many of them
MAX_WITNESSES = 150  # pixels that are followed in a step
MIN_MARK = 3e-3  # smallest eigenvalue of the structure tensor of a pixel that can be followed
# a pixel that does not come back so near to its start, tracked backwards, is not believed
MAX_RETURN_PX = 0.5
REST_PX = 0.25  # what moves less in the median rests
FIT_M = 0.004  # how well a pixel must fit a rigid motion, on the table
MIN_FIT, MIN_FIT_SHARE = 4, 0.2  # how many must, and which share of what hangs together
MAX_MOTIONS = 3  # of what hangs together
MAX_SCALE = 1.25  # by which a rigid thing may seem to grow
REACH_PX = 5.0  # from a point to a pixel that fits, whose motion it shares
SAME_LOOK = 25.0  # of 255: a point that comes to look more different was not carried along


@dataclass(frozen=True)
class _Motions:
    """What moved rigidly in a step: pixels that show it, each with its motion on the table."""

    places: Float[np.ndarray, "k 2"]
    which: Int[np.ndarray, " k"]
    matrices: list[Float[np.ndarray, "2 3"]]
    """In metres, from (x, y, 1)."""


@dataclass(frozen=True)
class _Film:
    """An episode, and what each of its pixels shows."""

    frames: UInt8[np.ndarray, "t h w 3"]
    arm: Bool[np.ndarray, "t h w"]
    things: Bool[np.ndarray, "t h w"]
    """Neither table nor arm."""
    around: Bool[np.ndarray, "t h w"]
    """Things and the pixels around them."""
    homography: Float[np.ndarray, "3 3"]


def follow_points(
    frames: UInt8[np.ndarray, "t h w 3"],
    states: Float32[np.ndarray, "t s"],
    scenery: Scenery,
) -> PointTracks:
    """Follow points on what lies on the table, and on the table itself, through an episode.

    Args:
        frames: The episode's frames.
        states: The robot's states; the first two are its place, in metres.
        scenery: Of the camera that took the frames.
    """
    arm = _widened(scenery.arm(states))
    things = scenery.apart(frames) & ~arm
    film = _Film(frames, arm, things, _widened(things), scenery.homography)
    rng = np.random.default_rng(0)  # any points will do
    tips = scenery.tips(states)
    places = np.zeros((len(frames), 0, 2), np.float32)
    valid, rests = np.zeros((len(frames), 0), bool), np.zeros(0, bool)
    for now in range(len(frames)):
        if now:
            _carry(film, _motions(film, now - 1), places, valid, rests, now)
        if now % SEED_EVERY == 0 and now < len(frames) - 1:
            seeds, grounds = _seeds(film, now, tips[now], rng)
            found = np.concatenate([seeds, grounds])
            added, lives = (
                np.zeros((len(frames), len(found), 2), np.float32),
                np.zeros((len(frames), len(found)), bool),
            )
            added[now], lives[now] = found, True
            places, valid = (
                np.concatenate([places, added], 1),
                np.concatenate([valid, lives], 1),
            )
            rests = np.concatenate([rests, np.arange(len(found)) >= len(seeds)])
    covered = np.stack([_read(*each) for each in zip(arm, places, strict=True)])
    return PointTracks(places, valid, valid & covered)


def _seeds(
    film: _Film, now: int, tip: Float[np.ndarray, "2"], rng: np.random.Generator
) -> tuple[Float32[np.ndarray, "k 2"], Float32[np.ndarray, "l 2"]]:
    """Return new points on things and on the bare table, more of them near the fingertip."""
    chosen = []
    for shown, count in (
        (film.things[now], SEEDS),
        (~film.around[now] & ~film.arm[now], GROUND_SEEDS),
    ):
        pixels = np.argwhere(shown)
        weights = np.where(np.linalg.norm(pixels - tip, axis=-1) < NEAR_PX, NEARER, 1.0)
        # a draw without replacement, by weight
        order = (rng.exponential(size=len(pixels)) / weights).argsort()
        picked = pixels[order[:count]]
        chosen.append((picked + rng.uniform(-0.4, 0.4, picked.shape)).astype(np.float32))
    return chosen[0], chosen[1]


def _carry(
    film: _Film,
    motions: _Motions,
    places: Float32[np.ndarray, "t m 2"],
    valid: Bool[np.ndarray, "t m"],
    rests: Bool[np.ndarray, " m"],
    now: int,
) -> None:
    """Write where the points are in this frame.

    Each goes as what is nearest to it, the table rests.
    """
    alive = np.flatnonzero(valid[now - 1])
    before = places[now - 1, alive]
    after, known = before.copy(), rests[alive].copy()
    to_frame = np.linalg.inv(film.homography)
    if len(motions.places):
        away_px = np.linalg.norm(before[:, None] - motions.places, axis=-1)
        nearest = np.where(
            rests[alive] | (away_px.min(1) > REACH_PX), -1, motions.which[away_px.argmin(1)]
        )
        for number, matrix in enumerate(motions.matrices):
            own = nearest == number
            on_table = (
                apply_homography(before[own], film.homography) @ matrix[:, :2].T + matrix[:, 2]
            )
            after[own] = apply_homography(on_table, to_frame)
            known |= own
    places[now, alive] = after
    covered = _read(film.arm[now], after)
    shown = np.where(
        rests[alive], ~_read(film.things[now], after), _read(film.around[now], after)
    )
    looks = [cv2.blur(film.frames[t], (3, 3)).astype(np.float32) for t in (now - 1, now)]
    changed = np.abs(_read(looks[1], after) - _read(looks[0], before)).mean(-1) > SAME_LOOK
    changed &= ~rests[alive] & ~_read(film.arm[now - 1], before)
    inside = ((after >= 0) & (after <= np.array(film.arm.shape[1:]) - 1)).all(-1)
    valid[now, alive] = known & inside & (covered | shown & ~changed)


def _motions(film: _Film, now: int) -> _Motions:
    """Find what moved how from this frame to the next."""
    marks = np.max(
        [
            cv2.cornerMinEigenVal(np.ascontiguousarray(channel), 3)
            for channel in np.moveaxis(film.frames[now], -1, 0)
        ],
        0,
    )
    marks = marks * (film.around[now] & ~film.arm[now])
    pixels = np.argwhere(marks > MIN_MARK)
    pixels = pixels[np.argsort(-marks[tuple(pixels.T)], kind="stable")[:MAX_WITNESSES]]
    if not len(pixels):
        return _Motions(np.zeros((0, 2)), np.zeros(0, int), [])
    here = pixels.astype(np.float32)
    there, sure = follow(film.frames[now], film.frames[now + 1], here, WINDOW_PX, MAX_RETURN_PX)
    sure &= ((there >= 0) & (there <= np.array(film.arm.shape[1:]) - 1)).all(-1)
    sure &= _read(film.around[now + 1] & ~film.arm[now + 1], there)
    here, there = here[sure], there[sure]
    _, labels = cv2.connectedComponents(film.things[now].astype(np.uint8))
    labels = _read(cv2.dilate(labels.astype(np.uint16), np.ones((3, 3), np.uint8)), here)
    which = np.full(len(here), -1)
    matrices: list[Float[np.ndarray, "2 3"]] = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        for matrix, fitting in _fits(here[own], there[own], film.homography):
            which[own[fitting]] = len(matrices)
            matrices.append(matrix)
    return _Motions(here[which >= 0], which[which >= 0], matrices)


def _fits(
    here: Float32[np.ndarray, "k 2"],
    there: Float32[np.ndarray, "k 2"],
    homography: Float[np.ndarray, "3 3"],
) -> Iterator[tuple[Float[np.ndarray, "2 3"], Int[np.ndarray, " l"]]]:
    """Yield rigid motions on the table, in metres, each with the pixels that fit it and none before."""
    begin, end = (
        apply_homography(places, homography).astype(np.float32) for places in (here, there)
    )
    steps_px = np.linalg.norm(there - here, axis=-1)
    left = np.arange(len(here))
    for _ in range(MAX_MOTIONS):
        if len(left) < MIN_FIT:
            return
        matrix, fits = np.eye(2, 3), steps_px[left] < 2 * REST_PX
        if np.median(steps_px[left]) > REST_PX:
            found, inliers = cv2.estimateAffinePartial2D(
                begin[left],
                end[left],
                method=cv2.RANSAC,
                ransacReprojThreshold=FIT_M,
                maxIters=200,
                refineIters=5,
            )
            if found is None:
                return
            fits, scale = inliers[:, 0] > 0, float(np.hypot(found[0, 0], found[1, 0]))
            if not 1 / MAX_SCALE < scale < MAX_SCALE:
                return
            turn = found[:, :2] / scale
            shift = end[left][fits].mean(0) - turn @ begin[left][fits].mean(0)
            matrix = np.column_stack([turn, shift])
        if fits.sum() < max(MIN_FIT, MIN_FIT_SHARE * len(here)):
            return
        yield matrix, left[fits]
        left = left[~fits]


def _widened(masks: Bool[np.ndarray, "t h w"]) -> Bool[np.ndarray, "t h w"]:
    """Return masks with the pixels around them."""
    return np.stack(
        [cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for mask in masks]
    )


def _read(picture: np.ndarray, places: Float[np.ndarray, "m 2"]) -> np.ndarray:
    """Return the nearest pixels of a picture; beyond the border, the border's."""
    rows, cols = np.round(places).astype(int).clip(0, np.array(picture.shape[:2]) - 1).T
    return np.asarray(picture[rows, cols])
