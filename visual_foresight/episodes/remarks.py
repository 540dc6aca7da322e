"""What is doubtful in a sound episode: it is read and learnt from, and `validate` counts it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from visual_foresight.types import Episode

FULL_LENGTH = 13
"""Actions of an episode that `train` and `evaluate prediction` can use as they are by default."""
MAX_BLANK = 16
"""A frame is blank where no channel (0 to 255) differs by more from one pixel to another."""
FROZEN_STEPS = 3
"""A picture that stays the same for so many steps while the robot moves is frozen."""
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


def remarks_on(episode: Episode) -> Iterator[Remark]:
    """Yield what is doubtful in a sound episode."""
    moved = (episode.states[1:] != episode.states[:-1]).any(1)
    views = (episode.frames, *episode.other_views.values())
    blank = np.stack([_blank(frames) for frames in views])
    frozen = np.stack([_frozen(frames, moved) for frames in views])
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


def _blank(frames: UInt8[np.ndarray, "t h w 3"]) -> Bool[np.ndarray, " t"]:
    """Tell which frames are of one colour. They are looked at one by one: there may be many."""
    return np.array(
        [(frame.max((0, 1)) - frame.min((0, 1))).max() <= MAX_BLANK for frame in frames]
    )


def _frozen(
    frames: UInt8[np.ndarray, "t_plus_1 h w 3"], moved: Bool[np.ndarray, " t"]
) -> Bool[np.ndarray, " t_plus_1"]:
    """Tell which frames are equal to the one before, as the last of several, while it moved."""
    frozen = np.zeros(len(frames), bool)
    began = 0
    for step in range(1, len(frames) + 1):
        goes_on = step < len(frames) and moved[step - 1]
        if goes_on and np.array_equal(frames[step], frames[step - 1]):
            continue
        if step - 1 - began >= FROZEN_STEPS:
            frozen[began + 1 : step] = True
        began = step
    return frozen
