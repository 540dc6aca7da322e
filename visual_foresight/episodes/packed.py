"""Episodes in a fifth of the memory: of each frame, only the pixels that differ from the first."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from visual_foresight.types import Episode


@runtime_checkable
class Frames(Protocol):
    """The frames of an episode, of which a slice is an array: packed, or in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return that of the frames as an array: t, height, width, 3."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, window: slice) -> UInt8[np.ndarray, "t h w 3"]:
        """Return the frames of a slice, as a new array."""
        ...

    def parts(self) -> Iterator[np.ndarray]:
        """Yield arrays that are equal where the frames are (see `parts_of`)."""
        ...


class PackedFrames:
    """The frames of an episode, compressed without loss.

    A slice of them is unpacked into an array, in 0.04 ms a frame.
    """

    def __init__(self, frames: UInt8[np.ndarray, "t h w 3"]) -> None:
        self._first = frames[:1].copy()
        self._changes = [_changes(frame, frames[0]) for frame in frames]

    def __len__(self) -> int:
        return len(self._changes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Return that of the frames as an array: t, height, width, 3."""
        return len(self._changes), *self._first.shape[1:]

    def __getitem__(self, window: slice) -> UInt8[np.ndarray, "t h w 3"]:
        """Return the frames of a slice, as a new array."""
        changes = self._changes[window]
        frames = self._first.repeat(len(changes), 0)
        for frame, (bits, colors) in zip(frames, changes, strict=True):
            height, width = frame.shape[:2]
            changed = np.unpackbits(bits, count=height * width).reshape(height, width)
            frame[changed.view(bool)] = colors
        return frames

    def parts(self) -> Iterator[np.ndarray]:
        """Yield arrays that are equal where the frames are (see `parts_of`)."""
        yield self._first
        for bits, colors in self._changes:
            yield bits
            yield colors


@dataclass(frozen=True)
class PackedEpisode:
    """An episode whose frames are packed, or in a file; the fields are those of `types.Episode`."""

    actions: Float32[np.ndarray, "t a"]
    frames: Frames
    states: Float32[np.ndarray, "t_plus_1 s"]
    tracks: Float32[np.ndarray, "t_plus_1 p 2"]
    meta: Mapping[str, Any]
    signals: Mapping[str, Float32[np.ndarray, " t"]] = field(default_factory=dict)
    other_views: Mapping[str, Frames] = field(default_factory=dict)

    @classmethod
    def pack(cls, episode: Episode) -> "PackedEpisode":
        """Return an episode in packed form; its other arrays are shared."""
        others = {name: PackedFrames(frames) for name, frames in episode.other_views.items()}
        frames = PackedFrames(episode.frames)
        return cls(**{**vars(episode), "frames": frames, "other_views": others})

    def digest(self) -> bytes:
        """Return a hash of everything that was recorded, without unpacking the frames."""
        digest = hashlib.sha256(json.dumps(dict(self.meta), sort_keys=True).encode())
        signals = [self.signals[name] for name in sorted(self.signals)]
        for name in sorted(self.signals):
            digest.update(name.encode())
        names = sorted(self.other_views)
        for name in names:
            digest.update(name.encode())
        others = chain.from_iterable(self.other_views[name].parts() for name in names)
        beside = (self.actions, self.states, self.tracks, *signals)
        for array in chain(beside, self.frames.parts(), others):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()

    def unpack(self) -> Episode:
        """Return the episode; its frames are new arrays, the others are shared."""
        others = {name: frames[:] for name, frames in self.other_views.items()}
        return Episode(**{**vars(self), "frames": self.frames[:], "other_views": others})


def parts_of(frames: Iterable[UInt8[np.ndarray, "h w 3"]]) -> Iterator[np.ndarray]:
    """Yield arrays that are equal where frames are: the first one, and what differs from it."""
    first = None
    for frame in frames:
        if first is None:
            first = frame
            yield frame[None]
        yield from _changes(frame, first)


def _changes(
    frame: UInt8[np.ndarray, "h w 3"], first: UInt8[np.ndarray, "h w 3"]
) -> tuple[UInt8[np.ndarray, " bytes"], UInt8[np.ndarray, "k 3"]]:
    """Return which pixels differ, one bit each, and their colours."""
    red, green, blue = np.moveaxis(frame != first, -1, 0)
    changed = red | green | blue
    return np.packbits(changed), frame[changed]
