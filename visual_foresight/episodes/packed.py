"""An episode in a fifth of the memory.

Of every frame but the first, only the pixels that differ from the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from visual_foresight.types import Episode


class PackedFrames:
    """Frames of one scene, exactly as they were.

    Sliced as the array is, and unpacked then (0.04 ms a frame).
    """

    def __init__(self, frames: UInt8[np.ndarray, "t h w 3"]) -> None:
        self._first = frames[:1].copy()
        self._changes = [_changes(frame, frames[0]) for frame in frames]

    def __len__(self) -> int:
        return len(self._changes)

    def __getitem__(self, window: slice) -> UInt8[np.ndarray, "t h w 3"]:
        """Return the frames of a slice, as a new array."""
        changes = self._changes[window]
        frames = self._first.repeat(len(changes), 0)
        for frame, (where, colors) in zip(frames, changes, strict=True):
            frame[
                np.unpackbits(where, count=frame[..., 0].size)
                .reshape(frame.shape[:2])
                .view(bool)
            ] = colors
        return frames


@dataclass(frozen=True)
class PackedEpisode:
    """The fields of `types.Episode`."""

    actions: Float32[np.ndarray, "t a"]
    frames: PackedFrames
    states: Float32[np.ndarray, "t_plus_1 s"]
    tracks: Float32[np.ndarray, "t_plus_1 p 2"]
    meta: Mapping[str, Any]

    @classmethod
    def pack(cls, episode: Episode) -> "PackedEpisode":
        """Keep an episode."""
        return cls(**{**vars(episode), "frames": PackedFrames(episode.frames)})

    def unpack(self) -> Episode:
        """Return the episode; frames are a new array, the rest is shared."""
        return Episode(**{**vars(self), "frames": self.frames[:]})


def _changes(
    frame: UInt8[np.ndarray, "h w 3"], first: UInt8[np.ndarray, "h w 3"]
) -> tuple[UInt8[np.ndarray, " bytes"], UInt8[np.ndarray, "k 3"]]:
    """Return which pixels differ, a bit each, and their colours."""
    red, green, blue = np.moveaxis(frame != first, -1, 0)
    where = red | green | blue
    return np.packbits(where), frame[where]
