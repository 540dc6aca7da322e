"""Episodes drawn for tests: an arm passes over a table, a box moves, and something rests.

The arm moves from left to right; the box moves along from the middle of the film on.
"""

import cv2
import numpy as np

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.rigid_tracks.scenery import Scenery
from visual_foresight.types import Episode

NUM_FRAMES, HEIGHT, WIDTH = 13, 48, 56
SIDE = 9  # of arm, box and what rests
TURN_DEG = 8  # by which the box turns in a step in which it moves
BEGIN = 6  # step in which the box begins to move
REST_ROW = 37  # of what rests
# x along columns, y along rows
HOMOGRAPHY = np.array([[0.0, 0.004, 0.0], [0.004, 0.0, 0.0], [0.0, 0.0, 1.0]])


def film(number: int = 0, arm_row: int = 4) -> Episode:
    """Return a film; the places of the box and of what rests differ with its number."""
    rng = np.random.default_rng(number)
    arm = np.random.default_rng(99).integers(0, 60, (SIDE, SIDE, 3), dtype=np.uint8)
    box = rng.integers(140, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    rest = rng.integers(140, 255, (SIDE, SIDE, 3), dtype=np.uint8)
    box[2:-2, 2:-2] = box[0, 0]  # plain inside
    row, col = _start(number)
    frames = np.full((NUM_FRAMES, HEIGHT, WIDTH, 3), 110, np.uint8)
    states = np.zeros((NUM_FRAMES, 2), np.float32)
    for t, frame in enumerate(frames):
        frame[REST_ROW : REST_ROW + SIDE, number * 11 % 46 :][:, :SIDE] = rest
        _put(frame, box, row, col + 2 * max(0, t - BEGIN), TURN_DEG * max(0, t - BEGIN))
        frame[arm_row : arm_row + SIDE, 4 + 3 * t : 4 + 3 * t + SIDE] = arm
        states[t] = 0.004 * np.array([4 + 3 * t + SIDE // 2, arm_row + SIDE // 2])
    return Episode(
        actions=np.zeros((NUM_FRAMES - 1, 2), np.float32),
        frames=frames,
        states=states,
        tracks=np.zeros((NUM_FRAMES, 0, 2), np.float32),
    )


def box_place(number: int, t: int, offset: np.ndarray) -> np.ndarray:
    """Return the place in frame t of what was at `offset` from the box's centre at first."""
    moves = max(0, t - BEGIN)
    angle = np.radians(TURN_DEG * moves)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.array(_start(number)) + (0, 2 * moves) + SIDE // 2 + offset @ turn.T


def _start(number: int) -> tuple[int, int]:
    return 16 + number * 3 % 7, 6 + number * 7 % 23


def _put(frame: np.ndarray, patch: np.ndarray, row: int, col: int, degrees: float) -> None:
    middle = SIDE // 2
    turn = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0) + np.array(
        [[0, 0, col], [0, 0, row]]
    )
    size = (frame.shape[1], frame.shape[0])
    full = np.full_like(patch[..., 0], 255)
    share = cv2.warpAffine(full, turn, size, flags=cv2.INTER_LINEAR)[..., None] / 255
    turned = cv2.warpAffine(patch, turn, size, borderMode=cv2.BORDER_REPLICATE)
    frame[:] = np.round(share * turned + (1 - share) * frame)


def training_films() -> list[PackedEpisode]:
    """Return films to learn table and arm from; in half of them the arm passes lower down."""
    films = [film(number, arm_row=(4, REST_ROW)[number % 2]) for number in range(46)]
    return [PackedEpisode.pack(each) for each in films]


def scenery() -> Scenery:
    """Return the table and arm of all films."""
    return Scenery.learn(training_films(), HOMOGRAPHY)
