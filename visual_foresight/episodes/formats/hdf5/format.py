"""Episodes as HDF5 files, as `data/README.md` specifies them.

Only this package imports h5py.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from visual_foresight.episodes.formats.hdf5.frames import StoredFrames, part_of, stamp_of
from visual_foresight.episodes.formats.hdf5.layout import (
    ARRAYS,
    FIRST_VIEW,
    SIGNALS,
    VERSIONS,
    checksum,
    is_long,
    other_views_in,
    place_of,
    require_view_name,
    write_rest,
)
from visual_foresight.episodes.formats.hdf5.opening import reading
from visual_foresight.episodes.formats.hdf5.stream import HDF5Stream
from visual_foresight.episodes.formats.hdf5.values import (
    array_at,
    integer_of,
    read_array,
    text_of,
    without_padding,
)
from visual_foresight.episodes.info import SCHEMA_VERSION
from visual_foresight.episodes.packed import Frames, PackedEpisode, PackedFrames
from visual_foresight.system.files import refusing_full_disk, replacing, write_or_refuse
from visual_foresight.types import Episode, UserError


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
                file.create_dataset(place_of(name), data=frames, **_compressed(frames))
            arrays = {name: getattr(episode, name) for name in ARRAYS}
            write_rest(file, episode, arrays, episode.other_views)
        write_or_refuse(path, memory.getvalue())

    def read(self, path: Path) -> Episode:
        """Read an episode: see `EpisodeFormat.read`."""
        return reading(path, _read_episode)

    def read_packed(self, path: Path) -> PackedEpisode:
        """Read an episode by parts: see `ReadByParts.read_packed`."""
        return reading(path, lambda file: _read_packed(file, path))

    def read_meta(self, path: Path) -> Mapping[str, Any]:
        """Read `Episode.meta` alone: see `EpisodeFormat.read_meta`."""
        return reading(path, lambda file: _read_meta(file)[0])


def _compressed(frames: np.ndarray) -> dict[str, Any]:
    """Return how frames of a short episode are stored: in one chunk, without loss."""
    if not frames.size:
        return {}
    return {"chunks": frames.shape, "compression": "gzip", "compression_opts": 4}


@dataclass(frozen=True)
class _Beside:
    """What is in a file beside frames."""

    arrays: Mapping[str, np.ndarray]
    """Those of `ARRAYS` but "frames"."""
    signals: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]
    written: bytes
    """The notes as they are written."""

    def check(self, expected: int, views: Mapping[str, Any]) -> None:
        """Refuse a file whose content does not have its checksum.

        Args:
            expected: the checksum.
            views: frames by the names of their views, in memory or in the file.
        """
        others = {name: frames for name, frames in views.items() if name != FIRST_VIEW}
        arrays = {**self.arrays, "frames": views[FIRST_VIEW]}
        contents = (
            checksum(arrays, self.signals, others, text)
            for text in dict.fromkeys((self.written, without_padding(self.written)))
        )
        if expected % 2**32 not in contents:
            raise ValueError("its content does not match its checksum")


def _read_beside(file: h5py.File) -> _Beside:
    meta, written = _read_meta(file)
    arrays = {
        name: read_array(file, *where) for name, where in ARRAYS.items() if name != "frames"
    }
    signals = {
        name: read_array(file, f"{SIGNALS}/{name}", np.float32, 1)
        for name in file.get(SIGNALS, ())
    }
    return _Beside(arrays, signals, meta, written)


def _read_episode(file: h5py.File) -> Episode:
    beside = _read_beside(file)
    views = {name: read_array(file, place_of(name), np.uint8, 4) for name in _views_in(file)}
    beside.check(integer_of(file, "crc32"), views)
    return Episode(
        frames=views.pop(FIRST_VIEW),
        meta=beside.meta,
        signals=beside.signals,
        other_views=views,
        **beside.arrays,
    )


def _read_packed(file: h5py.File, path: Path) -> PackedEpisode:
    beside = _read_beside(file)
    views: dict[str, Any] = {}
    kept: dict[str, Frames] = {}
    for name in _views_in(file):
        found = array_at(file, place_of(name), np.uint8, 4)
        part = part_of(found)
        if part is None:
            views[name] = read_array(file, place_of(name), np.uint8, 4)
            kept[name] = PackedFrames(views[name])
        else:
            views[name] = found
            kept[name] = StoredFrames(path, place_of(name), found.shape, part, stamp_of(file))
    beside.check(integer_of(file, "crc32"), views)
    return PackedEpisode(
        frames=kept.pop(FIRST_VIEW),
        meta=beside.meta,
        signals=beside.signals,
        other_views=kept,
        **beside.arrays,
    )


def _views_in(file: h5py.File) -> list[str]:
    """Return the names of the views in a file, the first one of which is `FIRST_VIEW`."""
    return [FIRST_VIEW, *other_views_in(file)]


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
