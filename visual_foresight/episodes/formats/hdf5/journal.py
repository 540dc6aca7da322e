"""What the disk has of a recording while it lasts, so that a program that is killed loses nothing.

Beside the file that frames go to lie two others until it is finished: `.steps`, a line of JSON for
each step and for each chunk of frames in the file, and `.frames`, frames that no chunk has yet.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

NUMBER_BYTES = 8
"""Before the frames of each step: which it is."""
Place = tuple[int, int, bool]
"""Of a chunk in the file: first byte, number of bytes, whether it is compressed."""


class Journal:
    """The two files, for the program that records. They are locked as long as it runs.

    What an error broke off is written again by the next call.

    Args:
        hidden: the file for frames.
        first: the first frame of each view, by its name.
        state: before the first action.
    """

    def __init__(
        self, hidden: Path, first: Mapping[str, np.ndarray], state: np.ndarray
    ) -> None:
        self._paths = paths_of(hidden)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC
        self._files = [os.open(path, flags, 0o666) for path in self._paths]
        self._ends = [0, 0]
        self._num_steps = 0
        try:
            with suppress(OSError):  # there are file systems without locks
                fcntl.flock(self._files[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._append_frames(0, first)
            shapes = {name: list(frame.shape) for name, frame in first.items()}
            self._append_line({"views": shapes, "state": state.tolist()})
        except BaseException:
            self.remove()
            raise

    @property
    def num_steps(self) -> int:
        """Return how many steps are on the disk."""
        return self._num_steps

    def add(self, step: Mapping[str, Any], frames: Mapping[str, np.ndarray] | None) -> None:
        """Write a step, and its frames unless a chunk of the file has them."""
        if frames is not None:
            self._append_frames(self._num_steps + 1, frames)
        self._append_line(step)
        self._num_steps += 1

    def note(self, chunks: Mapping[str, Sequence[Place]], total: int) -> None:
        """Note that the file has so many frames now, and where the chunks of each view are."""
        self._append_line({"chunks": chunks, "total": total})
        os.ftruncate(self._files[1], 0)
        self._ends[1] = 0

    def remove(self) -> None:
        """Remove both files: the recording is finished, or nobody wants it."""
        while self._files:
            os.close(self._files.pop())
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _append_frames(self, number: int, frames: Mapping[str, np.ndarray]) -> None:
        parts = [number.to_bytes(NUMBER_BYTES, "little")]
        parts += [frames[name].tobytes() for name in sorted(frames)]
        self._append(1, b"".join(parts))

    def _append_line(self, content: Mapping[str, Any]) -> None:
        self._append(0, json.dumps(content).encode() + b"\n")

    def _append(self, file: int, data: bytes) -> None:
        """Write at the end of what is whole, so that a part that failed is written over."""
        left = memoryview(data)
        while left:
            done = os.pwrite(self._files[file], left, self._ends[file] + len(data) - len(left))
            left = left[done:]
        self._ends[file] += len(data)


class Leftover:
    """What a program that was killed left of a recording.

    Args:
        hidden: the file for frames.

    Raises:
        OSError, ValueError, KeyError: there is no such recording, or it cannot be read.
    """

    def __init__(self, hidden: Path) -> None:
        steps, waiting = paths_of(hidden)
        head, *lines = _whole_lines(steps.read_bytes())
        self._hidden = hidden
        self.shapes: dict[str, tuple[int, ...]] = {
            name: tuple(shape) for name, shape in head["views"].items()
        }
        self.first_state: list[float] = head["state"]
        noted = [line for line in lines if "total" in line]
        self._written = noted[-1]["total"] if noted else 0
        self._chunks = {
            name: [place for line in noted for place in line["chunks"][name]]
            for name in self.shapes
        }
        self._waiting = self._waiting_in(waiting.read_bytes())
        num_frames = self._written
        while num_frames in self._waiting:
            num_frames += 1
        steps_there = [line for line in lines if "action" in line]
        self.steps: list[dict[str, Any]] = steps_there[: max(0, num_frames - 1)]
        """Those whose frames are there, too."""

    def frames(self, begin: int, end: int) -> list[dict[str, UInt8[np.ndarray, "_h _w 3"]]]:
        """Return some frames, of each view."""
        return [self._frames_at(number) for number in range(begin, end)]

    @property
    def chunk(self) -> int:
        """Return how many frames a chunk has."""
        num_chunks = len(next(iter(self._chunks.values())))
        return self._written // num_chunks if num_chunks else 1

    def _frames_at(self, number: int) -> dict[str, np.ndarray]:
        if number >= self._written:
            return self._waiting[number]
        chunk, place = divmod(number, self.chunk)
        if self._cached[0] != chunk:
            self._cached = chunk, {name: self._read(name, chunk) for name in self.shapes}
        return {name: frames[place] for name, frames in self._cached[1].items()}

    _cached: tuple[int, dict[str, np.ndarray]] = (-1, {})

    def _read(self, view: str, chunk: int) -> UInt8[np.ndarray, "t _h _w 3"]:
        """Return the frames of a chunk, without HDF5: its tables may not be whole."""
        begin, size, is_compressed = self._chunks[view][chunk]
        with self._hidden.open("rb") as file:
            file.seek(begin)
            data = file.read(size)
        content = zlib.decompress(data) if is_compressed else data
        return np.frombuffer(content, np.uint8).reshape(-1, *self.shapes[view])

    def _waiting_in(self, data: bytes) -> dict[int, dict[str, np.ndarray]]:
        """Return frames that no chunk has, by their number; one that was cut off is left out."""
        found: dict[int, dict[str, np.ndarray]] = {}
        sizes = {name: int(np.prod(self.shapes[name])) for name in sorted(self.shapes)}
        length = NUMBER_BYTES + sum(sizes.values())
        for begin in range(0, len(data) - length + 1, length):
            number = int.from_bytes(data[begin : begin + NUMBER_BYTES], "little")
            place = begin + NUMBER_BYTES
            found[number] = {}
            for name, size in sizes.items():
                frame = np.frombuffer(data, np.uint8, size, place)
                found[number][name] = frame.reshape(self.shapes[name])
                place += size
        return found


def paths_of(hidden: Path) -> tuple[Path, Path]:
    """Return the files of steps and of frames that lie beside a recording's."""
    return hidden.with_suffix(".steps"), hidden.with_suffix(".frames")


def _whole_lines(data: bytes) -> list[dict[str, Any]]:
    """Return the lines that were written whole, one or more."""
    found = []
    for line in data.split(b"\n")[:-1]:
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    if not found:
        raise ValueError("nothing was written yet")
    return found
