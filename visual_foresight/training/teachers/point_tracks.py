"""Points followed through an episode, whoever followed them: what pixel maps learn from."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int

MOVED_PX = 0.6  # in one step
MIN_POINTS = 3  # that must move for a contact


@dataclass(frozen=True)
class PointTracks:
    """Points followed through an episode; `valid` from where each was found until it was lost."""

    places: Float32[np.ndarray, "t m 2"]
    """(row, col) in pixels."""
    valid: Bool[np.ndarray, "t m"]
    hidden: Bool[np.ndarray, "t m"]
    """Where the arm covers a valid point."""

    def moved(self) -> Bool[np.ndarray, "u m"]:
        """Tell in which steps which points moved."""
        step_px = np.linalg.norm(np.diff(self.places, axis=0), axis=-1)
        return (step_px > MOVED_PX) & self.valid[1:] & self.valid[:-1]

    def contact(self) -> Bool[np.ndarray, " u"]:
        """Tell in which steps something besides the arm moved.

        Against the simulator's truth on 150 episodes of contact-rich data: in 95 % of the steps
        named an object really moves by 2 mm or more, and 77 % of those in which one does are
        named.
        """
        return self.moved().sum(1) >= MIN_POINTS


def choose(
    tracks: PointTracks, start: int, length: int, count: int, rng: np.random.Generator
) -> Int[np.ndarray, " {count}"]:
    """Choose points for a clip: what was pushed, what was hidden, some at rest. -1 where there
    are too few.

    Args:
        tracks: The episode's points.
        start: First frame; a point must be valid there and in the next frame.
        length: Number of actions of the clip.
        count: Number of points.
        rng: Decides between equals.
    """
    follow_up = min(start + 1, len(tracks.valid) - 1)
    alive = np.flatnonzero(tracks.valid[start] & tracks.valid[follow_up])
    rng.shuffle(alive)
    moves = tracks.moved()[start : start + length, alive].any(0)
    pushed, rest = alive[moves], alive[~moves]
    hidden = rest[tracks.hidden[start : start + length, rest].any(0)]
    rest = rest[~np.isin(rest, hidden)]
    half, quarter = count // 2, count // 4
    first, then = (
        (pushed[:half], rest[:quarter], hidden[:quarter]),
        (pushed[half:], hidden[quarter:], rest[quarter:]),
    )
    order = np.concatenate([*first, *then])[:count]
    return np.concatenate([order, np.full(count - len(order), -1, order.dtype)])
