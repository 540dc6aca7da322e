"""Where a robot's hand is seen, learned from episodes alone: a projective map from its state.

Neither camera nor robot is known. What tells is where things begin to move: the hand must be there.
A point that rested in a step and moves in the next has just been touched, so its new place is ahead
of the hand, by a constant distance along the hand's own way through the image. The map is a camera
(Hartley and Zisserman 2004, eq. 6.2) whose world coordinates are the state's numbers, in any order
and unit; it is fitted robustly, since points on the arm begin to move, too, when the robot starts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from scipy.optimize import least_squares

from visual_foresight.types import UserError
from visual_foresight.vision import optical_flow

PROTOCOL = 1
"""Raise it when a change of this file changes what is estimated."""
WINDOW_PX = 7  # side of what is compared from frame to frame
MIN_TEXTURE = 1e-3  # smallest eigenvalue of the structure tensor (Shi and Tomasi 1994)
MAX_RETURN_PX = 0.5  # a point that returns less exactly, when followed backward, is not used
RESTING_PX = 0.15  # a point that moves less has rested
MOVING_PX = 0.8  # a point that moves more has been moved
FARTHEST_PX = 8.0  # a point that moves farther, of 64, was followed wrongly
MAX_POINTS = 24  # of a step
SCALES_PX = (8.0, 4.0, 2.0, 1.5)  # of the Cauchy loss, one fit after the other
LEAST_STEPS = 30  # with a touch, to estimate anything from
PRIOR_AFFINE, PRIOR_PERSPECTIVE = 0.05, 3.0  # numbers that hardly vary mean nothing
FARTHEST = 3.0  # standard deviations
NUM_FOLDS = 5


@dataclass(frozen=True)
class Touches:
    """Points that began to move, one per row."""

    places: Float[np.ndarray, "n 2"]
    """(row, col) in pixels, after they moved."""
    before: Float[np.ndarray, "n s"]
    """The robot's state when they still rested."""
    after: Float[np.ndarray, "n s"]
    """Its state when they had moved."""
    steps: Int[np.ndarray, " n"]
    """Points of the same step have the same number."""
    states: Float[np.ndarray, "m s"]
    """All states of the robot, also where it touches nothing."""

    @classmethod
    def joined(cls, parts: "Sequence[Touches]") -> "Touches":
        """Return those of several episodes as one."""
        offset = 0
        steps = []
        for part in parts:
            steps.append(part.steps + offset)
            offset += int(part.steps.max(initial=-1)) + 1
        return cls(
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.before for part in parts]),
            np.concatenate([part.after for part in parts]),
            np.concatenate(steps),
            np.concatenate([part.states for part in parts]),
        )

    def chosen(self, rows: Bool[np.ndarray, " n"]) -> "Touches":
        """Return some of them."""
        return Touches(
            self.places[rows],
            self.before[rows],
            self.after[rows],
            self.steps[rows],
            self.states,
        )

    @property
    def num_steps(self) -> int:
        """Return how many steps have a touch."""
        return len(np.unique(self.steps))


@dataclass(frozen=True)
class HandEye:
    """A projective map from a robot's state to the pixel at which its hand is seen."""

    mean: Float[np.ndarray, " s"]
    scale: Float[np.ndarray, " s"]
    """Of the robot's states."""
    matrix: Float[np.ndarray, "3 d"]
    """From the standardised state and a 1, d = s + 1 numbers, to (row, col, 1) times a scale."""
    ahead_px: float
    """How far ahead of the hand the points that it touches are seen."""
    spread_px: float
    """How much a place differs between fits to other parts of the data: their root mean square
    distance from the fit to all."""
    num_steps: int
    """How many steps with a touch it was estimated from."""

    def places(self, states: Float[np.ndarray, "n s"]) -> Float[np.ndarray, "n 2"]:
        """Return the (row, col) at which the hand is seen, in pixels."""
        return _project(self.matrix, standardised(states, self.mean, self.scale))


def standardised(
    states: Float[np.ndarray, "n s"],
    mean: Float[np.ndarray, " s"],
    scale: Float[np.ndarray, " s"],
) -> Float[np.ndarray, "n s"]:
    """Return states in standard deviations from their mean, none farther than 3.

    Numbers that are nearly constant have rare values that are far off: nothing is known of where
    the hand is seen there.
    """
    return ((states - mean) / scale).clip(-FARTHEST, FARTHEST)


def find_touches(
    frames: UInt8[np.ndarray, "t h w 3"], states: Float[np.ndarray, "t s"]
) -> Touches:
    """Find the points of an episode that begin to move while the robot is on its way.

    Args:
        frames: Of the episode.
        states: Of the robot, one per frame.
    """
    per_step = []
    scale = max(frames.shape[1:3]) / 64
    for t in range(1, len(frames) - 1):
        changes = cv2.absdiff(frames[t], frames[t + 1]).max(-1)
        rested = cv2.absdiff(frames[t - 1], frames[t]).max(-1) < 4
        pixels = np.argwhere(_around(changes >= 4) & _everywhere(rested))
        texture = _texture(frames[t])
        pixels = pixels[texture[tuple(pixels.T)] > MIN_TEXTURE]
        best = np.argsort(-texture[tuple(pixels.T)], kind="stable")[: 4 * MAX_POINTS]
        pixels = pixels[best][:: max(1, len(best) // MAX_POINTS)][:MAX_POINTS]
        if not len(pixels):
            continue
        found, sure = optical_flow.follow(
            frames[t], frames[t + 1], pixels.astype(np.float32), WINDOW_PX, MAX_RETURN_PX
        )
        moved_px = np.linalg.norm(found - pixels, axis=1)
        sure &= (moved_px > MOVING_PX * scale) & (moved_px < FARTHEST_PX * scale)
        per_step.append((t, found[sure]))
    counts = [len(found) for _, found in per_step]
    times = np.repeat([t for t, _ in per_step], counts).astype(int)
    places = np.concatenate([found for _, found in per_step] or [np.zeros((0, 2))])
    return Touches(places.astype(np.float64), states[times], states[times + 1], times, states)


def find_changes(
    frames: UInt8[np.ndarray, "t h w 3"], states: Float[np.ndarray, "t s"]
) -> Touches:
    """Find the middle of what changes in each step of an episode, as if it were touched there.

    It is where a hand is seen that is all of the robot, such as a round pusher from above. Of an
    arm it is some place along it, so this is for episodes in which nothing is touched.
    """
    times, places = [], []
    for t in range(len(frames) - 1):
        changes = cv2.absdiff(frames[t], frames[t + 1]).max(-1)
        pixels = np.argwhere(changes >= 4)
        if len(pixels):
            times.append(t)
            places.append(np.average(pixels, 0, weights=changes[tuple(pixels.T)]))
    steps = np.array(times, int)
    return Touches(
        np.array(places, np.float64).reshape(-1, 2),
        states[steps],
        states[steps + 1],
        steps,
        states,
    )


def fit_hand_eye(touches: Touches) -> HandEye:
    """Fit the map to touches, and to parts of them, which says how far it can be trusted.

    Raises:
        UserError: there are too few touches to estimate anything from.
    """
    num_steps = touches.num_steps
    if num_steps < LEAST_STEPS:
        raise UserError(
            "where the robot's hand is seen is learnt from things that it begins to push, in "
            f"{LEAST_STEPS} steps or more, and these episodes show {num_steps}: record more "
            "episodes in which it pushes something"
        )
    mean = touches.states.mean(0)
    scale = touches.states.std(0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    before = standardised(touches.before, mean, scale)
    after = standardised(touches.after, mean, scale)
    _, numbers = np.unique(touches.steps, return_inverse=True)
    matrix, ahead_px = _fit(touches.places, before, after, numbers)
    squares = []
    for fold in range(NUM_FOLDS):
        rest = numbers % NUM_FOLDS != fold
        part, _ = _fit(touches.places[rest], before[rest], after[rest], numbers[rest])
        differences = _project(part, after) - _project(matrix, after)
        squares.append((differences**2).sum(1).mean())
    # The jackknife's variance: fits to four fifths have most of their data in common.
    spread_px = np.sqrt((NUM_FOLDS - 1) / NUM_FOLDS * np.sum(squares))
    return HandEye(mean, scale, matrix, ahead_px, float(spread_px), num_steps)


def _fit(
    places: Float[np.ndarray, "n 2"],
    before: Float[np.ndarray, "n s"],
    after: Float[np.ndarray, "n s"],
    numbers: Int[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, "3 d"], float]:
    """Return the map and the distance ahead that explain the touches best.

    Args:
        places: Of the points, after they moved.
        before: Standardised states when they still rested.
        after: Standardised states when they had moved.
        numbers: Of their steps: the points of a step say nearly the same.
    """
    num_inputs = after.shape[1] + 1
    counts = np.bincount(numbers)
    weights = 1 / np.sqrt(counts[numbers])[:, None]
    prior = np.sqrt(np.count_nonzero(counts))

    def matrix_of(values: Float[np.ndarray, " k"]) -> Float[np.ndarray, "3 d"]:
        return np.append(values[:-1], 1.0).reshape(3, num_inputs)

    def missed(values: Float[np.ndarray, " k"]) -> Float[np.ndarray, " r"]:
        matrix = matrix_of(values)
        there = _project(matrix, after)
        way = there - _project(matrix, before)
        direction = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 0.3)
        errors = weights * (places - there - values[-1] * direction)
        affine = PRIOR_AFFINE * prior * matrix[:2, :-1]
        perspective = PRIOR_PERSPECTIVE * prior * matrix[2, :-1]
        return np.concatenate([errors.ravel(), affine.ravel(), perspective])

    inputs = np.column_stack([after, np.ones(len(after))])
    affine = np.linalg.lstsq(inputs, places, rcond=None)[0].T
    values = np.concatenate([affine.ravel(), np.zeros(num_inputs - 1), [3.0]])
    for scale_px in SCALES_PX:
        values = least_squares(missed, values, loss="cauchy", f_scale=scale_px).x
    return matrix_of(values), float(values[-1])


def _project(
    matrix: Float[np.ndarray, "3 d"], states: Float[np.ndarray, "n s"]
) -> Float[np.ndarray, "n 2"]:
    """Return the pixels (row, col) of standardised states."""
    seen = states @ matrix[:, :-1].T + matrix[:, -1]
    return np.asarray(seen[:, :2] / seen[:, 2:])


def _around(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Tell which windows have a pixel of the mask."""
    window = np.ones((WINDOW_PX, WINDOW_PX), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), window) > 0)


def _everywhere(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Tell which windows have pixels of the mask alone."""
    return ~_around(~mask)


def _texture(frame: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """Return how well the surroundings of each pixel can be told from those beside them."""
    channels = np.moveaxis(frame, -1, 0)
    found = [cv2.cornerMinEigenVal(np.ascontiguousarray(each), 3) for each in channels]
    return np.asarray(np.max(found, 0))
