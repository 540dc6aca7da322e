"""Episodes as HDF5 files, as `data/README.md` specifies them.

Only this file and `hdf5_values` import h5py.
"""

import errno
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from visual_foresight.episodes.causes import NO_LOCKS, DamagedError, errno_of, unreadable
from visual_foresight.episodes.formats.hdf5_values import (
    integer_of,
    read_array,
    text_of,
    without_padding,
)
from visual_foresight.episodes.info import SCHEMA_VERSION
from visual_foresight.system.files import refusing_full_disk, replacing, write_or_refuse
from visual_foresight.types import Episode, UserError

DEMO = "data/demo_0"
# Each array of an `Episode`: its place in robomimic's tree, its type and its number of axes.
ARRAYS: dict[str, tuple[str, type, int]] = {
    "actions": (f"{DEMO}/actions", np.float32, 2),
    "frames": (f"{DEMO}/obs/agentview_image", np.uint8, 4),
    "states": (f"{DEMO}/obs/state", np.float32, 2),
    "tracks": (f"{DEMO}/truth/tracks", np.float32, 3),
}
FIRST_VIEW = ""
"""Stands for the view of `Episode.frames` among the others."""
OTHER_VIEW = re.compile(r"(?!agentview_)(\w+)_image", re.ASCII)
"""Names of the arrays of `Episode.other_views`, beside that of `frames`."""
SIGNALS = f"{DEMO}/signals"
"""The group of `Episode.signals`, one array each; it is not there where there are none."""
READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)
"""What reading a damaged file can raise."""
ONE_CHUNK = 2**24
"""Bytes of a view's frames up to which an episode is short: they are one chunk."""
CHUNK = 2**22
"""Bytes of a view's frames in each chunk of a long episode, one frame at least."""
SPARE = 2**18
"""Bytes that HDF5's own structures may need with each chunk of a long episode, and at its end."""
VERSIONS = ("v110", "v110")
"""From 1.10 on, HDF5 has checksums of its own structures; we add one of the content."""


class HDF5:
    """An `EpisodeFormat` with robomimic's layout, a checksum, and compressed frames."""

    suffix = ".hdf5"

    def write(self, path: Path, episode: Episode) -> None:
        """Write an episode: see `EpisodeFormat.write`."""
        for name in episode.other_views:
            require_view_name(name)
        views = {FIRST_VIEW: episode.frames, **episode.other_views}
        if is_long({name: frames.nbytes for name, frames in views.items()}):
            first = {name: frames[0] for name, frames in views.items()}
            with (
                refusing_full_disk(path),
                replacing(path) as temporary,
                HDF5Stream(temporary, first) as stream,
            ):
                for step in range(1, len(episode.frames)):
                    stream.append({name: frames[step] for name, frames in views.items()})
                stream.finish(episode)
            return
        memory = io.BytesIO()
        with h5py.File(memory, "w", libver=VERSIONS) as file:
            for name, (place, _, _) in ARRAYS.items():
                compressed = _compressed(episode.frames) if name == "frames" else {}
                file.create_dataset(place, data=getattr(episode, name), **compressed)
            for name, frames in sorted(episode.other_views.items()):
                file.create_dataset(_place_of(name), data=frames, **_compressed(frames))
            arrays = {name: getattr(episode, name) for name in ARRAYS}
            _write_rest(file, episode, arrays, episode.other_views)
        write_or_refuse(path, memory.getvalue())

    def read(self, path: Path) -> Episode:
        """Read an episode: see `EpisodeFormat.read`."""
        return _reading(path, _read_episode)

    def read_meta(self, path: Path) -> Mapping[str, Any]:
        """Read `Episode.meta` alone: see `EpisodeFormat.read_meta`."""
        return _reading(path, lambda file: _read_meta(file)[0])


class HDF5Stream:
    """A long episode whose frames are written as they come: memory holds a chunk of them.

    What an error or an interruption broke off is done again by the next call, so that no frame is
    lost or there twice.

    Args:
        path: of the file, a temporary one that nobody else writes: no lock is needed.
        first: the first frame of each view, by its name; `FIRST_VIEW` is that of `Episode.frames`.
    """

    def __init__(self, path: Path, first: Mapping[str, np.ndarray]) -> None:
        self._chunk = max(1, CHUNK // max(frame.nbytes for frame in first.values()))
        # How many frames are in the file, and those after them: changed together, in one go.
        self._pending: tuple[int, list[Mapping[str, np.ndarray]]] = (0, [first])
        with ExitStack() as stack:
            # Without a cache of chunks, an error is told by the call that writes the frames.
            self._file = stack.enter_context(
                h5py.File(path, "w", libver=VERSIONS, locking=False, rdcc_nbytes=0)
            )
            self._views = {
                name: self._file.create_dataset(
                    _place_of(name),
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
        _write_rest(self._file, episode, arrays, others)
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


def is_long(sizes: Mapping[str, int]) -> bool:
    """Tell whether an episode is written in several chunks.

    Args:
        sizes: bytes of the frames of each view.
    """
    return max(sizes.values()) > ONE_CHUNK


def _compressed(frames: np.ndarray) -> dict[str, Any]:
    """Return how frames of a short episode are stored: in one chunk, without loss."""
    if not frames.size:
        return {}
    return {"chunks": frames.shape, "compression": "gzip", "compression_opts": 4}


def _write_rest(
    file: h5py.File, episode: Episode, arrays: Mapping[str, Any], others: Mapping[str, Any]
) -> None:
    """Write signals and attributes, when all other arrays are written.

    Args:
        file: where to.
        episode: its signals and notes.
        arrays: those of `ARRAYS`, in memory or in the file.
        others: frames of the further views, likewise.
    """
    for name in sorted(episode.signals):
        file.create_dataset(f"{SIGNALS}/{name}", data=episode.signals[name])
    meta = json.dumps(dict(episode.meta))
    file["data"].attrs["total"] = len(episode.actions)
    file[DEMO].attrs["num_samples"] = len(episode.actions)
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["meta"] = meta
    file.attrs["crc32"] = _checksum(arrays, episode.signals, others, meta.encode())


def require_view_name(name: str) -> None:
    """Refuse a name that no view beside the first one can have in a file.

    Raises:
        UserError: so it is.
    """
    if OTHER_VIEW.fullmatch(f"{name}_image") is None:
        raise UserError(
            f"a view that is stored beside the first one cannot be called {name!r}: use letters, "
            "digits and _, and not agentview, which is the first one's place"
        )


def _place_of(view: str) -> str:
    """Return where the frames of a view are."""
    return ARRAYS["frames"][0] if view == FIRST_VIEW else f"{DEMO}/obs/{view}_image"


def _other_views_in(file: h5py.File) -> list[str]:
    """Return the names of the further views in a file."""
    found = [OTHER_VIEW.fullmatch(name) for name in file[f"{DEMO}/obs"]]
    return [match[1] for match in found if match is not None]


def _checksum(
    arrays: Mapping[str, Any],
    signals: Mapping[str, np.ndarray],
    other_views: Mapping[str, Any],
    meta: bytes,
) -> int:
    """Return the CRC-32 of the notes, of the arrays in the order of `ARRAYS`, and of the rest.

    Signals follow in the order of their names, each after its name, and so do further views.
    Arrays may be in memory or in a file: they are taken in parts.
    """
    total = zlib.crc32(meta)
    for name in ARRAYS:
        for part in _parts(arrays[name]):
            total = zlib.crc32(part, total)
    for name in sorted(signals):
        total = zlib.crc32(name.encode() + signals[name].tobytes(), total)
    for name in sorted(other_views):
        total = zlib.crc32(f"{name}_image".encode(), total)
        for part in _parts(other_views[name]):
            total = zlib.crc32(part, total)
    return total


def _parts(array: Any) -> Iterator[bytes]:
    """Yield the bytes of an array, about `CHUNK` at a time."""
    row_bytes = int(np.prod(array.shape[1:])) * array.dtype.itemsize
    count = max(1, CHUNK // max(1, row_bytes))
    for begin in range(0, len(array), count):
        yield array[begin : begin + count].tobytes()


def _reading(path: Path, read: Callable[[h5py.File], Any]) -> Any:
    """Return what is read from a file, without a lock where there can be none.

    Raises:
        UserError: why it cannot be read.
    """
    try:
        try:
            with h5py.File(path, "r") as file:
                return read(file)
        except OSError as error:
            if errno_of(error) not in NO_LOCKS:
                raise
            return _reading_unlocked(path, read, error)
    except (*READ_ERRORS, UserError) as error:
        raise unreadable(path, error) from error


def _reading_unlocked(path: Path, read: Callable[[h5py.File], Any], locked: OSError) -> Any:
    """Return what is read from a file without a lock.

    Locks guard against writers. Ours give a file its name when it is whole, and the checksum tells
    of others.

    Args:
        path: of the file.
        read: returns something from it when it is open.
        locked: that reading with a lock ended with.

    Raises:
        UserError: why it cannot be read: what seems damaged while another program has the lock is
            only in use.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            return read(file)
    except (*READ_ERRORS, UserError) as error:
        found = unreadable(path, error)
        if isinstance(found, DamagedError) and errno_of(locked) == errno.EAGAIN:
            raise locked from error
        raise found from error


def _read_episode(file: h5py.File) -> Episode:
    meta, written = _read_meta(file)
    arrays = {name: read_array(file, *where) for name, where in ARRAYS.items()}
    signals = {
        name: read_array(file, f"{SIGNALS}/{name}", np.float32, 1)
        for name in file.get(SIGNALS, ())
    }
    others = {
        name: read_array(file, _place_of(name), np.uint8, 4) for name in _other_views_in(file)
    }
    expected = integer_of(file, "crc32") % 2**32
    contents = (
        _checksum(arrays, signals, others, text)
        for text in dict.fromkeys((written, without_padding(written)))
    )
    if expected not in contents:
        raise ValueError("its content does not match its checksum")
    return Episode(**arrays, meta=meta, signals=signals, other_views=others)


def _read_meta(file: h5py.File) -> tuple[dict[str, Any], bytes]:
    """Return the notes, and their bytes as they are written."""
    version = integer_of(file, "schema_version")
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{file.filename} has schema version {version}, version {SCHEMA_VERSION} was "
            "expected: read it with the package version that wrote it"
        )
    written = text_of(file, "meta")
    meta = json.loads(written)
    if not isinstance(meta, dict):
        raise ValueError("its notes are no JSON object")
    return meta, written
