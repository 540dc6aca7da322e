"""What moved, and where it went, found in frames alone: the teacher of the pixel maps.

Training may use frames, actions and the robot's own state. Points are followed by Lucas-Kanade (OpenCV); those that move
whenever the robot moves belong to the arm, those that move now and then to what it pushes.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, UInt8

from visual_foresight.optical_flow import follow

WINDOW_PX = 7
SEED_EVERY = 4  # steps between rounds of new points, so that every clip has fresh ones
MAX_SEEDS = 64
MAX_RETURN_PX = 0.5  # a point that does not come back so near to its start, tracked backwards, is lost
MOVED_PX = 0.6  # in one step
ARM_SHARE = 0.9  # of the steps in which the robot moves: 99 % of the arm's moving points, 10 % of the objects'
REACH_M = (
    0.18  # between the fingertip and what it pushes, with what that pushes in turn; farther off, only the arm moves
)
MIN_LIFE = 5  # steps; points on the arm's outline slide along it and are soon lost
MIN_POINTS = 3  # that must move for a contact
LOOK_RADIUS = 2  # pixels around a lost point that must look again as they did, ...
SAME_LOOK = 10.0  # ... on average so closely (of 255), for it to have been hidden and at rest


@dataclass(frozen=True)
class FoundTracks:
    """Points followed through an episode; `valid` from where each was found until it was lost."""

    places: Float32[np.ndarray, "t m 2"]
    """(row, col) in pixels."""
    valid: Bool[np.ndarray, "t m"]
    hidden: Bool[np.ndarray, "t m"]
    """Where a point was lost and is valid all the same: it was found again at the same place."""
    is_arm: Bool[np.ndarray, " m"]

    def moved(self) -> Bool[np.ndarray, "u m"]:
        """Tell in which steps which points moved."""
        step_px = np.linalg.norm(np.diff(self.places, axis=0), axis=-1)
        return (step_px > MOVED_PX) & self.valid[1:] & self.valid[:-1]

    def contact(self) -> Bool[np.ndarray, " u"]:
        """Tell in which steps something besides the arm moved.

        Against the simulator's truth on 60 episodes of contact-rich data: of the clips of 12 steps named, 94 % really have
        two steps or more in which an object moves by 2 mm or more (89 % of all have), and 91 % of those are named.
        """
        lives = (self.valid[1:] & self.valid[:-1]).sum(0) >= MIN_LIFE
        later = np.concatenate([self.valid[2:], self.valid[-1:]])
        return (self.moved() & later & lives & ~self.is_arm).sum(1) >= MIN_POINTS


def find_tracks(
    frames: UInt8[np.ndarray, "t h w 3"],
    states: Float32[np.ndarray, "t s"],
    table: Float[np.ndarray, "3 3"],
) -> FoundTracks:
    """Follow corners through an episode.

    Args:
        frames: The episode's frames.
        states: The robot's states; the first two are its place, in metres.
        table: Homography from (row, col, 1) to the robot's (x, y, 1), see `interfaces.Env.table`.
    """
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    places = np.zeros((len(greys), 0, 2), np.float32)
    valid = np.zeros((len(greys), 0), bool)
    hidden = np.zeros((len(greys), 0), bool)
    for now in range(len(greys)):
        if now:
            _follow(frames, places, valid, np.flatnonzero(valid[now - 1]), now - 1, now)
            _recover(frames, places, valid, hidden, now)
        if now % SEED_EVERY == 0 and now < len(greys) - 2:
            corners = cv2.goodFeaturesToTrack(greys[now], MAX_SEEDS, 0.01, 2.0, blockSize=3)
            found = np.zeros((0, 2), np.float32) if corners is None else corners[:, 0, ::-1]
            added = np.zeros((len(greys), len(found), 2), np.float32)
            added[now] = found
            lives = np.zeros((len(greys), len(found)), bool)
            lives[now] = True
            places, valid = np.concatenate([places, added], 1), np.concatenate([valid, lives], 1)
            hidden = np.concatenate([hidden, np.zeros_like(lives)], 1)
    for now in reversed(range(len(greys) - 1)):  # where a point was before it was found tells what it belongs to
        newborn = np.flatnonzero(valid[now + 1] & ~valid[: now + 1].any(0))
        _follow(frames, places, valid, newborn, now + 1, now)
    tracks = FoundTracks(places, valid, hidden, np.zeros(places.shape[1], bool))
    return replace(tracks, is_arm=_moves_with_robot(tracks, states) | _moves_out_of_reach(tracks, states, table))


def _follow(
    frames: UInt8[np.ndarray, "t h w 3"],
    places: Float32[np.ndarray, "t m 2"],
    valid: Bool[np.ndarray, "t m"],
    points: Int[np.ndarray, " k"],
    here: int,
    there: int,
) -> None:
    """Write where points of one frame are in the next one, or the one before."""
    if not len(points):
        return
    found, sure = follow(frames[here], frames[there], places[here, points], WINDOW_PX, MAX_RETURN_PX)
    places[there, points] = found
    valid[there, points] = sure & ((found >= 0) & (found <= np.array(frames.shape[1:3]) - 1)).all(-1)


def _recover(
    frames: UInt8[np.ndarray, "t h w 3"],
    places: Float32[np.ndarray, "t m 2"],
    valid: Bool[np.ndarray, "t m"],
    hidden: Bool[np.ndarray, "t m"],
    now: int,
) -> None:
    """Find points again that were hidden: their place looks as it did before they were lost, so they rested meanwhile.

    This is all that teaches a pixel map to stay where it is while the arm passes over it.
    """
    lost = np.flatnonzero(~valid[now] & valid[:now].any(0))
    last = now - 1 - valid[:now, lost][::-1].argmax(0)
    middles = np.round(places[last, lost]).astype(int)
    offsets = np.arange(-LOOK_RADIUS, LOOK_RADIUS + 1)
    rows = (middles[:, 0, None, None] + offsets[:, None]).clip(0, frames.shape[1] - 1)
    cols = (middles[:, 1, None, None] + offsets).clip(0, frames.shape[2] - 1)
    before, after = frames[last[:, None, None], rows, cols], frames[now][rows, cols]
    alike = np.abs(after.astype(np.float32) - before).mean((1, 2, 3)) < SAME_LOOK
    for point, since in zip(lost[alike], last[alike], strict=True):
        places[since + 1 : now + 1, point] = places[since, point]
        valid[since + 1 : now + 1, point] = True
        hidden[since + 1 : now, point] = True


def _moves_with_robot(tracks: FoundTracks, states: Float32[np.ndarray, "t s"]) -> Bool[np.ndarray, " m"]:
    robot_moved = np.linalg.norm(np.diff(states[:, :2], axis=0), axis=-1) > 0.012
    both = tracks.valid[1:] & tracks.valid[:-1] & robot_moved[:, None]
    share = (tracks.moved() & both).sum(0) / np.maximum(both.sum(0), 1)
    return share > ARM_SHARE


def _moves_out_of_reach(
    tracks: FoundTracks, states: Float32[np.ndarray, "t s"], table: Float[np.ndarray, "3 3"]
) -> Bool[np.ndarray, " m"]:
    places = np.concatenate([tracks.places, np.ones_like(tracks.places[..., :1])], -1) @ table.T
    metres = places[..., :2] / places[..., 2:]
    far = np.linalg.norm(metres - states[:, None, :2], axis=-1) > REACH_M
    return (tracks.moved() & far[:-1] & far[1:]).any(0)


def choose(
    tracks: FoundTracks, start: int, length: int, count: int, rng: np.random.Generator
) -> Int[np.ndarray, " {count}"]:
    """Choose points for a clip: what was pushed, what was hidden, some at rest. -1 where there are too few.

    None of the arm: what it hides lies still beneath it, and cannot be told to do both.

    Args:
        tracks: The episode's points.
        start: First frame; a point must be valid there and in the next frame.
        length: Number of actions of the clip.
        count: Number of points.
        rng: Decides between equals.
    """
    follow = min(start + 1, len(tracks.valid) - 1)
    alive = np.flatnonzero(tracks.valid[start] & tracks.valid[follow] & ~tracks.is_arm)
    rng.shuffle(alive)
    moves = tracks.moved()[start : start + length, alive].any(0)
    pushed, rest = alive[moves], alive[~moves]
    hidden = rest[tracks.hidden[start : start + length, rest].any(0)]
    rest = rest[~np.isin(rest, hidden)]
    half, quarter = count // 2, count // 4
    first, then = (pushed[:half], rest[:quarter], hidden[:quarter]), (pushed[half:], hidden[quarter:], rest[quarter:])
    order = np.concatenate([*first, *then])[:count]
    return np.concatenate([order, np.full(count - len(order), -1, order.dtype)])
