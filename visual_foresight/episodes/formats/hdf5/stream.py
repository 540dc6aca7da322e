"""Long episodes that are written as they come: memory holds a chunk of their frames."""

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from visual_foresight.episodes.formats.hdf5 import layout
from visual_foresight.episodes.formats.hdf5.journal import Place
from visual_foresight.episodes.formats.hdf5.layout import (
    ARRAYS,
    FIRST_VIEW,
    SIGNALS,
    SPARE,
    VERSIONS,
    place_of,
    write_rest,
)
from visual_foresight.types import Episode


class HDF5Stream:
    """A long episode whose frames are written as they come: memory holds a chunk of them.

    What an error or an interruption broke off is done again by the next call, so that no frame is
    lost or there twice.

    Args:
        path: of the file, a temporary one that nobody else writes: no lock is needed.
        first: the first frame of each view, by its name; `FIRST_VIEW` is that of `Episode.frames`.
    """

    def __init__(self, path: Path, first: Mapping[str, np.ndarray]) -> None:
        self._chunk = max(1, layout.CHUNK // max(frame.nbytes for frame in first.values()))
        # How many frames are in the file, and those after them: changed together, in one go.
        self._pending: tuple[int, list[Mapping[str, np.ndarray]]] = (0, [first])
        with ExitStack() as stack:
            # Without a cache of chunks, an error is told by the call that writes the frames.
            self._file = stack.enter_context(
                h5py.File(path, "w", libver=VERSIONS, locking=False, rdcc_nbytes=0)
            )
            self._views = {
                name: self._file.create_dataset(
                    place_of(name),
                    shape=(0, *frame.shape),
                    maxshape=(None, *frame.shape),
                    dtype=np.uint8,
                    chunks=(self._chunk, *frame.shape),
                    compression="gzip",
                    compression_opts=4,
                )
                for name, frame in sorted(first.items())
            }
            self._path = path
            self._require_room(0)
            stack.pop_all()

    def __enter__(self) -> "HDF5Stream":
        return self

    def __exit__(self, *raised: Any) -> None:
        self.close()

    def __len__(self) -> int:
        """Return how many frames were added to each view."""
        written, waiting = self._pending
        return written + len(waiting)

    @property
    def num_whole(self) -> int:
        """Return how many frames of each view the file has, if all are in whole chunks; else 0."""
        written = self._pending[0]
        return 0 if written % self._chunk else written

    def places(self, begin: int) -> dict[str, list[Place]]:
        """Return where the chunks are in the file that have the frames from this one on."""
        found: dict[str, list[Place]] = {}
        for name, stored in self._views.items():
            found[name] = []
            for number in range(begin, self.num_whole, self._chunk):
                info = stored.id.get_chunk_info_by_coord((number, 0, 0, 0))
                found[name].append((info.byte_offset, info.size, info.filter_mask == 0))
        return found

    def append(self, frames: Mapping[str, np.ndarray]) -> None:
        """Add a frame of each view.

        Raises:
            OSError, RuntimeError: the disk is full, for example; the frame is kept in memory.
        """
        _, waiting = self._pending
        waiting.append(frames)
        if len(waiting) % self._chunk == 0:  # more than one where a disk was full for a while
            self._flush()

    def close(self) -> None:
        """Close the file, whether it is whole or not."""
        self._file.close()

    def finish(self, episode: Episode) -> None:
        """Write all that is missing, and close the file.

        Args:
            episode: its arrays and notes; its frames are not looked at.

        Raises:
            OSError, RuntimeError: the disk is full, for example; call it again when it is not.
        """
        if not self._file:  # it is closed, so that it is whole
            return
        self._flush()
        sizes = [getattr(episode, name).nbytes for name in ARRAYS if name != "frames"]
        sizes += [values.nbytes for values in episode.signals.values()]
        self._require_room(sum(sizes) + 2 * len(json.dumps(dict(episode.meta))))
        for place in [*(place for place, _, _ in ARRAYS.values()), SIGNALS]:
            if place != ARRAYS["frames"][0] and place in self._file:
                del self._file[place]  # of a call that was broken off
        for name, (place, _, _) in ARRAYS.items():
            if name != "frames":
                self._file.create_dataset(place, data=getattr(episode, name))
        arrays = {name: self._file[place] for name, (place, _, _) in ARRAYS.items()}
        others = {name: frames for name, frames in self._views.items() if name != FIRST_VIEW}
        write_rest(self._file, episode, arrays, others)
        self._file.flush()
        size = self._file.id.get_filesize()
        self.close()
        if self._path.stat().st_size > size:  # there is room left that was not needed
            os.truncate(self._path, size)

    def _flush(self) -> None:
        """Write the frames that wait, and count them when they are written."""
        written, waiting = self._pending
        if not waiting:
            return
        total = written + len(waiting)
        self._require_room(sum(frame.nbytes for each in waiting for frame in each.values()))
        for name, stored in self._views.items():
            stored.resize(total, axis=0)
            stored[written:total] = np.stack([each[name] for each in waiting])
        self._pending = (total, [])

    def _require_room(self, num_bytes: int) -> None:
        """Make the file longer by what is going to be written.

        HDF5 loses data, and may end the program, when the disk is full while it writes.

        Raises:
            OSError: there is no room; the file is as it was.
        """
        size = self._path.stat().st_size
        wanted = self._file.id.get_filesize() + int(1.01 * num_bytes) + SPARE
        if wanted <= size:
            return
        try:
            with self._path.open("ab") as end:
                end.write(bytes(wanted - size))
        except OSError:
            os.truncate(self._path, size)
            raise
