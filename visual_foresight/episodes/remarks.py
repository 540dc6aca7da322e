"""What is doubtful in a sound episode: it is read and learnt from, and `validate` counts it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from visual_foresight.episodes.packed import Frames, PackedEpisode
from visual_foresight.types import Episode

FULL_LENGTH = 13
"""Actions of an episode that `train` and `evaluate prediction` can use as they are by default."""
MAX_BLANK = 16
"""A frame is blank where no channel (0 to 255) differs by more from one pixel to another."""
FROZEN_STEPS = 3
"""A picture that stays the same for so many steps while the robot moves is frozen."""
AT_ONCE = 16
"""Frames that are looked at together."""
MEANINGS = {
    "blank_frames": "frames of one colour, as a camera gives that is covered or was not ready",
    "frozen_frames": f"frames that stay exactly the same for {FROZEN_STEPS} steps or more while "
    "the robot's state changes, as a camera gives that hangs",
    "unknown_tracks": "true places that are NaN: judges leave these points out",
    "short_episodes": f"episodes of fewer than {FULL_LENGTH} actions: `train` and `evaluate "
    "prediction` leave them out, unless --horizon is made shorter",
}
"""Kind of remark -> what is counted."""


@dataclass(frozen=True)
class Remark:
    """Something doubtful in an episode."""

    kind: str
    """A key of `MEANINGS`."""
    count: int
    """How many frames, of all views; how many points and frames, of tracks; 1 of an episode."""
    first: int
    """Frame where it begins."""


def remarks_on(episode: Episode | PackedEpisode) -> Iterator[Remark]:
    """Yield what is doubtful in a sound episode. Its frames are looked at in parts."""
    moved = (episode.states[1:] != episode.states[:-1]).any(1)
    views = (episode.frames, *episode.other_views.values())
    looked_at = [_looked_at(frames, moved) for frames in views]
    blank = np.stack([each for each, _ in looked_at])
    frozen = np.stack([_frozen(still) for _, still in looked_at])
    unknown = ~np.isfinite(episode.tracks).all(-1)
    for kind, where in (
        ("blank_frames", blank.T),
        ("frozen_frames", frozen.T),
        ("unknown_tracks", unknown),
    ):
        if where.any():
            yield Remark(kind, int(where.sum()), int(np.flatnonzero(where.any(1))[0]))
    if len(episode.actions) < FULL_LENGTH:
        yield Remark("short_episodes", 1, 0)


def _looked_at(
    frames: Frames | UInt8[np.ndarray, "t_plus_1 h w 3"], moved: Bool[np.ndarray, " t"]
) -> tuple[Bool[np.ndarray, " t_plus_1"], Bool[np.ndarray, " t_plus_1"]]:
    """Tell which frames are of one colour, and which stayed the same while the robot moved."""
    blank = np.zeros(len(frames), bool)
    still = np.zeros(len(frames), bool)
    before = frames[:1][0]
    for begin in range(0, len(frames), AT_ONCE):
        for step, frame in enumerate(frames[begin : begin + AT_ONCE], begin):
            blank[step] = (frame.max((0, 1)) - frame.min((0, 1))).max() <= MAX_BLANK
            still[step] = step > 0 and moved[step - 1] and np.array_equal(frame, before)
            before = frame
    return blank, still


def _frozen(still: Bool[np.ndarray, " t_plus_1"]) -> Bool[np.ndarray, " t_plus_1"]:
    """Tell which frames stayed the same, where several in a row did."""
    frozen = np.zeros_like(still)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], still, [False]])))
    for begin, end in edges.reshape(-1, 2):
        frozen[begin:end] = end - begin >= FROZEN_STEPS
    return frozen
