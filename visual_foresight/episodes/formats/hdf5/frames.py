"""The frames of a long episode, which stay in their file until a part of them is asked for."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import UInt8

from visual_foresight.episodes.formats.hdf5 import layout
from visual_foresight.episodes.formats.hdf5.opening import reading
from visual_foresight.episodes.packed import parts_of
from visual_foresight.types import UserError

MAX_KEPT = 8
"""Parts of files that are kept for the next slice: 32 MiB of ours, 128 MiB of any."""


@dataclass(frozen=True)
class StoredFrames:
    """Frames in a file, as a `packed.Frames`: a slice is read when it is asked for."""

    path: Path
    place: str
    """Of the array in the file."""
    shape: tuple[int, ...]
    """t, height, width, 3."""
    part: int
    """How many frames are read at a time: whole chunks."""
    stamp: tuple[int, int]
    """Tells the file from another of its name (see `stamp_of`)."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, window: slice) -> UInt8[np.ndarray, "t h w 3"]:
        """Return the frames of a slice, as a new array."""
        steps = np.arange(len(self))[window]
        frames = np.empty((len(steps), *self.shape[1:]), np.uint8)
        for number in np.unique(steps // self.part).tolist():
            here = steps // self.part == number
            frames[here] = _part(self, number)[steps[here] - number * self.part]
        return frames

    def parts(self) -> Iterator[np.ndarray]:
        """Yield arrays that are equal where the frames are: see `PackedFrames.parts`."""
        return parts_of(
            frame
            for begin in range(0, len(self), self.part)
            for frame in self[begin : begin + self.part]
        )


def part_of(dataset: h5py.Dataset) -> int | None:
    """Return how many frames to read at a time; None where they had better be read at once.

    That is so of few frames, and of chunks that are too large to be read for a part of them.
    """
    frame_bytes = int(np.prod(dataset.shape[1:]))
    fitting = max(1, layout.CHUNK // max(1, frame_bytes))
    if dataset.size <= layout.ONE_CHUNK:
        return None
    if dataset.chunks is None:  # they are one after another in the file
        return fitting
    chunk = int(dataset.chunks[0])
    if chunk * frame_bytes > layout.ONE_CHUNK:
        return None
    return max(1, fitting // chunk) * chunk


def stamp_of(file: h5py.File) -> tuple[int, int]:
    """Return what tells a file from what replaces it or is written to it."""
    found = os.fstat(file.id.get_vfd_handle())
    return found.st_size, found.st_mtime_ns


@lru_cache(MAX_KEPT)
def _part(frames: StoredFrames, number: int) -> UInt8[np.ndarray, "t h w 3"]:
    """Return a part of the frames, which is not to be written to."""
    begin = number * frames.part

    def read(file: h5py.File) -> np.ndarray:
        if stamp_of(file) != frames.stamp:
            raise UserError(
                f"{frames.path} was changed since it was read first: begin again, and leave it "
                "alone meanwhile"
            )
        return np.asarray(file[frames.place][begin : begin + frames.part])

    found: np.ndarray = reading(frames.path, read)
    found.setflags(write=False)
    return found
