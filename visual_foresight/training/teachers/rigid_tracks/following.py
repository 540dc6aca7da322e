"""Follow points through an episode, by rigid motions that are fitted to what moved.

What is connected and is neither table nor arm (see `Scenery`) is taken for a rigid object, or for
a few that touch. Its textured pixels are followed to the next frame (Lucas-Kanade), rigid motions
on the table are fitted to them (RANSAC), and all points of the object move along: also those
without texture, and those that the arm hides.
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

# New points.
ROUND_STEPS = 4  # between rounds of new points, so that every clip has fresh ones
NUM_OBJECT_POINTS, NUM_TABLE_POINTS = 20, 10  # per round
NEAR_PX = 14.0  # from the fingertip: a pixel that is nearer has more weight as a new point
NEAR_WEIGHT = 4.0

# Pixels that are followed by optical flow.
WINDOW_PX = 5
MAX_FLOW_PIXELS = 150  # per step
MIN_TEXTURE = 3e-3  # smallest eigenvalue of the structure tensor (Shi and Tomasi 1994)
MAX_RETURN_PX = 0.5  # a pixel that returns less exactly, when followed backward, is left out

# Rigid motions.
REST_PX = 0.25  # an object whose pixels move less in the median rests
FIT_M = 0.004  # largest error, on the table, of a pixel that fits a motion
MIN_FITTING = 4  # pixels that fit a motion
MIN_FITTING_SHARE = 0.2  # of an object's pixels
MAX_MOTIONS = 3  # per connected object
MAX_SCALE = 1.25  # by which an object may seem to grow or shrink in a step

# Points that move along.
REACH_PX = 5.0  # from a point to the nearest pixel that fits a motion
MAX_COLOR_CHANGE = 25.0  # of 255: a point whose colour changes more in a step was lost


@dataclass(frozen=True)
class _Frames:
    """The frames of an episode, and what their pixels show."""

    frames: UInt8[np.ndarray, "t h w 3"]
    arm: Bool[np.ndarray, "t h w"]
    objects: Bool[np.ndarray, "t h w"]
    """Neither table nor arm."""
    near_objects: Bool[np.ndarray, "t h w"]
    """Objects and the pixels next to them."""
    homography: Float[np.ndarray, "3 3"]


@dataclass(frozen=True)
class _Motions:
    """Rigid motions between two frames."""

    pixels: Float[np.ndarray, "k 2"]
    """(row, col) in the first frame of pixels that fit a motion."""
    fitted: Int[np.ndarray, " k"]
    """The number of the motion that each of them fits."""
    matrices: list[Float[np.ndarray, "2 3"]]
    """The motions, from (x, y, 1) to (x, y) on the table, in metres."""


@dataclass
class _Tracks:
    """Points that have been found so far, in all frames; those of the future are zeros."""

    places: Float32[np.ndarray, "t m 2"]
    valid: Bool[np.ndarray, "t m"]
    on_table: Bool[np.ndarray, " m"]

    def add(self, t: int, found: Float32[np.ndarray, "k 2"], on_table: bool) -> None:
        """Add points that were found in frame t."""
        num_frames = len(self.places)
        places = np.zeros((num_frames, len(found), 2), np.float32)
        valid = np.zeros((num_frames, len(found)), bool)
        places[t] = found
        valid[t] = True
        self.places = np.concatenate([self.places, places], 1)
        self.valid = np.concatenate([self.valid, valid], 1)
        self.on_table = np.concatenate([self.on_table, np.full(len(found), on_table)])


def follow_points(
    frames: UInt8[np.ndarray, "t h w 3"],
    states: Float32[np.ndarray, "t s"],
    scenery: Scenery,
) -> PointTracks:
    """Follow points on objects, and on the table, through an episode.

    Args:
        frames: of the episode.
        states: of the robot; the first two numbers are the fingertip's (x, y), in metres.
        scenery: of the camera that took the frames.
    """
    arm = _dilated(scenery.arm(states))
    objects = scenery.foreground(frames) & ~arm
    episode = _Frames(frames, arm, objects, _dilated(objects), scenery.homography)
    tips = scenery.fingertips(states)
    rng = np.random.default_rng(0)  # which points are chosen does not matter
    num_frames = len(frames)
    tracks = _Tracks(
        np.zeros((num_frames, 0, 2), np.float32),
        np.zeros((num_frames, 0), bool),
        np.zeros(0, bool),
    )
    for t in range(num_frames):
        if t > 0:
            _carry_along(tracks, _find_motions(episode, t - 1), episode, t)
        if t % ROUND_STEPS == 0 and t < num_frames - 1:
            table = ~episode.near_objects[t] & ~arm[t]
            on_objects = _choose_pixels(objects[t], NUM_OBJECT_POINTS, tips[t], rng)
            on_table = _choose_pixels(table, NUM_TABLE_POINTS, tips[t], rng)
            tracks.add(t, on_objects, on_table=False)
            tracks.add(t, on_table, on_table=True)
    hidden = np.stack([_read(arm[t], tracks.places[t]) for t in range(num_frames)])
    return PointTracks(tracks.places, tracks.valid, tracks.valid & hidden)


def _choose_pixels(
    mask: Bool[np.ndarray, "h w"],
    count: int,
    tip: Float[np.ndarray, "2"],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "k 2"]:
    """Return random places inside a mask, more of them near the fingertip; fewer if it is small."""
    pixels = np.argwhere(mask)
    near = np.linalg.norm(pixels - tip, axis=-1) < NEAR_PX
    weights = np.where(near, NEAR_WEIGHT, 1.0)
    # The first of exponential clocks at rates `weights`: draws by weight, without replacement.
    order = (rng.exponential(size=len(pixels)) / weights).argsort()
    chosen = pixels[order[:count]]
    return (chosen + rng.uniform(-0.4, 0.4, chosen.shape)).astype(np.float32)


def _carry_along(tracks: _Tracks, motions: _Motions, episode: _Frames, t: int) -> None:
    """Move points from frame t - 1 to frame t, and find out which were lost."""
    alive = np.flatnonzero(tracks.valid[t - 1])
    on_table = tracks.on_table[alive]
    before = tracks.places[t - 1, alive]
    after = before.copy()
    known = on_table.copy()
    if len(motions.pixels):
        fitted = _nearest_motion(before, motions)
        fitted[on_table] = -1
        for number, matrix in enumerate(motions.matrices):
            moved = fitted == number
            after[moved] = _moved(before[moved], matrix, episode.homography)
            known |= moved
    tracks.places[t, alive] = after
    hidden = _read(episode.arm[t], after)
    on_object = _read(episode.near_objects[t], after) & ~_changed_color(
        before, after, episode, t
    )
    bare_table = ~_read(episode.objects[t], after)
    seen = np.where(on_table, bare_table, on_object)
    tracks.valid[t, alive] = known & _inside(after, episode.arm[t]) & (hidden | seen)


def _nearest_motion(
    places: Float32[np.ndarray, "m 2"], motions: _Motions
) -> Int[np.ndarray, " m"]:
    """Return the number of the motion of the pixel nearest to each place, -1 if none is near."""
    distances_px = np.linalg.norm(places[:, None] - motions.pixels, axis=-1)
    near = distances_px.min(1) <= REACH_PX
    return np.where(near, motions.fitted[distances_px.argmin(1)], -1)


def _moved(
    places: Float32[np.ndarray, "m 2"],
    matrix: Float[np.ndarray, "2 3"],
    homography: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, "m 2"]:
    """Return where a motion on the table takes places (row, col)."""
    on_table = apply_homography(places, homography) @ matrix[:, :2].T + matrix[:, 2]
    return apply_homography(on_table, np.linalg.inv(homography))


def _changed_color(
    before: Float32[np.ndarray, "m 2"],
    after: Float32[np.ndarray, "m 2"],
    episode: _Frames,
    t: int,
) -> Bool[np.ndarray, " m"]:
    """Tell which points have another colour in frame t, at `after`, than at `before`, in t - 1.

    Points that the arm hid before have no colour to compare with.
    """
    blurred_before = cv2.blur(episode.frames[t - 1], (3, 3)).astype(np.float32)
    blurred_after = cv2.blur(episode.frames[t], (3, 3)).astype(np.float32)
    difference = np.abs(_read(blurred_after, after) - _read(blurred_before, before)).mean(-1)
    return (difference > MAX_COLOR_CHANGE) & ~_read(episode.arm[t - 1], before)


def _find_motions(episode: _Frames, t: int) -> _Motions:
    """Find the rigid motions from frame t to frame t + 1."""
    pixels = _textured_pixels(episode, t)
    if not len(pixels):
        return _Motions(np.zeros((0, 2)), np.zeros(0, int), [])
    begin = pixels.astype(np.float32)
    end, sure = follow(
        episode.frames[t], episode.frames[t + 1], begin, WINDOW_PX, MAX_RETURN_PX
    )
    sure &= _inside(end, episode.arm[t])
    sure &= _read(episode.near_objects[t + 1] & ~episode.arm[t + 1], end)
    begin, end = begin[sure], end[sure]
    labels = _read(_object_labels(episode.objects[t]), begin)
    fitted = np.full(len(begin), -1)
    matrices: list[Float[np.ndarray, "2 3"]] = []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        for matrix, fitting in _fit_motions(begin[own], end[own], episode.homography):
            fitted[own[fitting]] = len(matrices)
            matrices.append(matrix)
    return _Motions(begin[fitted >= 0], fitted[fitted >= 0], matrices)


def _textured_pixels(episode: _Frames, t: int) -> Int[np.ndarray, "k 2"]:
    """Return the pixels on or next to objects in frame t that can be followed best."""
    channels = np.moveaxis(episode.frames[t], -1, 0)
    textures = [cv2.cornerMinEigenVal(np.ascontiguousarray(each), 3) for each in channels]
    texture = np.max(textures, 0) * (episode.near_objects[t] & ~episode.arm[t])
    pixels = np.argwhere(texture > MIN_TEXTURE)
    order = np.argsort(-texture[tuple(pixels.T)], kind="stable")
    return pixels[order[:MAX_FLOW_PIXELS]]


def _object_labels(objects: Bool[np.ndarray, "h w"]) -> np.ndarray:
    """Return the number of the connected object on or next to each pixel, 0 where there is none."""
    _, labels = cv2.connectedComponents(objects.astype(np.uint8))
    return cv2.dilate(labels.astype(np.uint16), np.ones((3, 3), np.uint8))


def _fit_motions(
    begin_px: Float32[np.ndarray, "k 2"],
    end_px: Float32[np.ndarray, "k 2"],
    homography: Float[np.ndarray, "3 3"],
) -> Iterator[tuple[Float[np.ndarray, "2 3"], Int[np.ndarray, " l"]]]:
    """Yield rigid motions on the table, each with the pixels that fit it but none before.

    Args:
        begin_px: places of an object's pixels in a frame.
        end_px: their places in the next frame.
        homography: from (row, col, 1) to (x, y, 1) on the table.
    """
    begin = apply_homography(begin_px, homography).astype(np.float32)
    end = apply_homography(end_px, homography).astype(np.float32)
    step_px = np.linalg.norm(end_px - begin_px, axis=-1)
    left = np.arange(len(begin))
    for _ in range(MAX_MOTIONS):
        if len(left) < MIN_FITTING:
            return
        if np.median(step_px[left]) > REST_PX:
            moved = _fit_motion(begin[left], end[left])
            if moved is None:
                return
            matrix, fits = moved
        else:
            matrix = np.eye(2, 3)
            fits = step_px[left] < 2 * REST_PX
        if fits.sum() < max(MIN_FITTING, MIN_FITTING_SHARE * len(begin)):
            return
        yield matrix, left[fits]
        left = left[~fits]


def _fit_motion(
    begin: Float32[np.ndarray, "k 2"], end: Float32[np.ndarray, "k 2"]
) -> tuple[Float[np.ndarray, "2 3"], Bool[np.ndarray, " k"]] | None:
    """Fit a rotation and a shift to places (x, y), and tell which fit; None if they scale."""
    similarity, inliers = cv2.estimateAffinePartial2D(
        begin,
        end,
        method=cv2.RANSAC,
        ransacReprojThreshold=FIT_M,
        maxIters=200,
        refineIters=5,
    )
    if similarity is None:
        return None
    scale = float(np.hypot(similarity[0, 0], similarity[1, 0]))
    if not 1 / MAX_SCALE < scale < MAX_SCALE:
        return None
    fits = inliers[:, 0] > 0
    rotation = similarity[:, :2] / scale
    shift = end[fits].mean(0) - rotation @ begin[fits].mean(0)
    return np.column_stack([rotation, shift]), fits


def _dilated(masks: Bool[np.ndarray, "t h w"]) -> Bool[np.ndarray, "t h w"]:
    """Return masks with the pixels next to them."""
    return np.stack(
        [cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for mask in masks]
    )


def _inside(
    places: Float[np.ndarray, "m 2"], image: Bool[np.ndarray, "h w"]
) -> Bool[np.ndarray, " m"]:
    """Tell which places (row, col) lie between the centres of an image's outermost pixels."""
    last = np.array(image.shape) - 1
    return np.all((places >= 0) & (places <= last), axis=-1)


def _read(image: np.ndarray, places: Float[np.ndarray, "m 2"]) -> np.ndarray:
    """Return the pixels of an image nearest to places (row, col); outside, those of the border."""
    last = np.array(image.shape[:2]) - 1
    rows, cols = np.round(places).astype(int).clip(0, last).T
    return np.asarray(image[rows, cols])
