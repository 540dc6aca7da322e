"""Points followed through an episode, whoever followed them: what pixel maps learn from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int

MOVED_PX = 0.6  # a point that moves farther in a step counts as moving
MIN_POINTS = 3  # points that move in a step with contact


@dataclass(frozen=True)
class PointTracks:
    """Points followed through an episode."""

    places: Float32[np.ndarray, "t m 2"]
    """(row, col) in pixels, where valid."""
    valid: Bool[np.ndarray, "t m"]
    """From the frame in which a point was found until it was lost; long after, the column may be
    another point's."""
    hidden: Bool[np.ndarray, "t m"]
    """Where the arm hides a valid point."""

    @classmethod
    def none(cls, num_frames: int) -> "PointTracks":
        """Return the tracks of no points."""
        nothing = np.zeros((num_frames, 0), bool)
        return cls(np.zeros((num_frames, 0, 2), np.float32), nothing, nothing)

    @classmethod
    def joined(cls, parts: "Sequence[PointTracks]") -> "PointTracks":
        """Return the points of several tracks of the same episode, one or more."""
        return cls(
            np.concatenate([each.places for each in parts], 1),
            np.concatenate([each.valid for each in parts], 1),
            np.concatenate([each.hidden for each in parts], 1),
        )

    def between(self, first: int, last: int) -> "PointTracks":
        """Return the tracks from a frame to a later one, both included."""
        window = slice(first, last + 1)
        return PointTracks(self.places[window], self.valid[window], self.hidden[window])

    def moved(self) -> Bool[np.ndarray, "u m"]:
        """Tell in which steps which points moved."""
        step_px = np.linalg.norm(np.diff(self.places, axis=0), axis=-1)
        return (step_px > MOVED_PX) & self.valid[1:] & self.valid[:-1]

    def contact(self) -> Bool[np.ndarray, " u"]:
        """Tell in which steps something besides the arm moved.

        Measured with the simulator's truth on 150 contact-rich episodes, for motions of 2 mm or
        more: a precision of 95 % and a recall of 77 %.
        """
        return self.moved().sum(1) >= MIN_POINTS


def choose_points(
    tracks: PointTracks, start: int, length: int, count: int, rng: np.random.Generator
) -> Int[np.ndarray, " {count}"]:
    """Choose points for a clip: a half that is pushed, a quarter that is hidden, a quarter at rest.

    Where there are fewer of one kind, there are more of the others.

    Args:
        tracks: of the episode.
        start: first frame; a point must be valid there and in the next frame.
        length: number of actions of the clip.
        count: number of points.
        rng: decides between equals.

    Returns:
        Numbers of points; -1 where there are too few.
    """
    second = min(start + 1, len(tracks.valid) - 1)
    alive = np.flatnonzero(tracks.valid[start] & tracks.valid[second])
    rng.shuffle(alive)
    moves = tracks.between(start, start + length).moved()[:, alive].any(0)
    pushed, resting = alive[moves], alive[~moves]
    hides = tracks.hidden[start : start + length, resting].any(0)
    hidden, resting = resting[hides], resting[~hides]
    half, quarter = count // 2, count // 4
    preferred = [pushed[:half], resting[:quarter], hidden[:quarter]]
    substitutes = [pushed[half:], hidden[quarter:], resting[quarter:]]
    chosen = np.concatenate([*preferred, *substitutes])[:count]
    return np.concatenate([chosen, np.full(count - len(chosen), -1, chosen.dtype)])
