"""Episodes as HDF5 files, as `data/README.md` specifies them; no other file imports h5py."""

import io
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from visual_foresight.episodes.info import SCHEMA_VERSION
from visual_foresight.system.files import write_or_refuse
from visual_foresight.types import Episode, UserError

DEMO = "data/demo_0"
# Each array of an `Episode`: its place in robomimic's tree, its type and its number of axes.
ARRAYS: dict[str, tuple[str, type, int]] = {
    "actions": (f"{DEMO}/actions", np.float32, 2),
    "frames": (f"{DEMO}/obs/agentview_image", np.uint8, 4),
    "states": (f"{DEMO}/obs/state", np.float32, 2),
    "tracks": (f"{DEMO}/truth/tracks", np.float32, 3),
}
OTHER_VIEW = re.compile(r"(?!agentview_)(\w+)_image", re.ASCII)
"""Names of the arrays of `Episode.other_views`, beside that of `frames`."""
SIGNALS = f"{DEMO}/signals"
"""The group of `Episode.signals`, one array each; it is not there where there are none."""
READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)
"""What reading a damaged file can raise."""


class HDF5:
    """An `EpisodeFormat` with robomimic's layout, a checksum, and compressed frames."""

    suffix = ".hdf5"

    def write(self, path: Path, episode: Episode) -> None:
        """Write an episode: see `EpisodeFormat.write`."""
        memory = io.BytesIO()
        meta = json.dumps(dict(episode.meta))
        arrays = {name: getattr(episode, name) for name in ARRAYS}
        # From version 1.10 on, HDF5 has checksums of its own structures; we add one of the content.
        with h5py.File(memory, "w", libver=("v110", "v110")) as file:
            for name, (place, _, _) in ARRAYS.items():
                compressed = _compressed(arrays[name]) if name == "frames" else {}
                file.create_dataset(place, data=arrays[name], **compressed)
            for name, frames in sorted(episode.other_views.items()):
                file.create_dataset(_place_of(name), data=frames, **_compressed(frames))
            for name in sorted(episode.signals):
                file.create_dataset(f"{SIGNALS}/{name}", data=episode.signals[name])
            file["data"].attrs["total"] = len(episode.actions)
            file[DEMO].attrs["num_samples"] = len(episode.actions)
            file.attrs["schema_version"] = SCHEMA_VERSION
            file.attrs["meta"] = meta
            file.attrs["crc32"] = _checksum(arrays, episode.signals, episode.other_views, meta)
        write_or_refuse(path, memory.getvalue())

    def read(self, path: Path) -> Episode:
        """Read an episode: see `EpisodeFormat.read`."""
        try:
            with h5py.File(path, "r") as file:
                meta = _read_meta(file)
                arrays = {name: _read_array(file, *where) for name, where in ARRAYS.items()}
                signals = {
                    name: _read_array(file, f"{SIGNALS}/{name}", np.float32, 1)
                    for name in file.get(SIGNALS, ())
                }
                found = [OTHER_VIEW.fullmatch(name) for name in file[f"{DEMO}/obs"]]
                others = {
                    match[1]: _read_array(file, _place_of(match[1]), np.uint8, 4)
                    for match in found
                    if match is not None
                }
                content = _checksum(arrays, signals, others, file.attrs["meta"])
                if file.attrs["crc32"] != content:
                    raise ValueError("its content does not match its checksum")
            return Episode(**arrays, meta=meta, signals=signals, other_views=others)
        except READ_ERRORS as error:
            raise _unreadable(path, error) from error

    def read_meta(self, path: Path) -> Mapping[str, Any]:
        """Read `Episode.meta` alone: see `EpisodeFormat.read_meta`."""
        try:
            with h5py.File(path, "r") as file:
                return _read_meta(file)
        except READ_ERRORS as error:
            raise _unreadable(path, error) from error


def _compressed(frames: np.ndarray) -> dict[str, Any]:
    """Return how frames are stored: in one chunk, without loss."""
    if not frames.size:
        return {}
    return {"chunks": frames.shape, "compression": "gzip", "compression_opts": 4}


def _place_of(view: str) -> str:
    """Return where the frames of a further view are."""
    name = f"{view}_image"
    if OTHER_VIEW.fullmatch(name) is None:
        raise UserError(
            f"a view that is stored beside the first one cannot be called {view!r}: use letters, "
            "digits and _, and not agentview, which is the first one's place"
        )
    return f"{DEMO}/obs/{name}"


def _checksum(
    arrays: Mapping[str, np.ndarray],
    signals: Mapping[str, np.ndarray],
    other_views: Mapping[str, np.ndarray],
    meta: str,
) -> int:
    """Return the CRC-32 of the notes, of the arrays in the order of `ARRAYS`, and of the rest.

    Signals follow in the order of their names, each after its name, and so do further views.
    """
    total = zlib.crc32(meta.encode())
    for name in ARRAYS:
        total = zlib.crc32(arrays[name].tobytes(), total)
    for name in sorted(signals):
        total = zlib.crc32(name.encode() + signals[name].tobytes(), total)
    for name in sorted(other_views):
        total = zlib.crc32(f"{name}_image".encode() + other_views[name].tobytes(), total)
    return total


def _unreadable(path: Path, error: Exception) -> UserError:
    if not path.exists():
        return UserError(
            f"{path} is missing: collect again with the same settings, which makes it anew"
        )
    return UserError(
        f"{path} is damaged or no episode ({error}): "
        "delete it and collect again with the same settings, which makes it anew"
    )


def _read_meta(file: h5py.File) -> dict[str, Any]:
    version = file.attrs["schema_version"]
    if version != SCHEMA_VERSION:
        raise ValueError(f"schema version {version}, expected {SCHEMA_VERSION}")
    meta = json.loads(file.attrs["meta"])
    if not isinstance(meta, dict):
        raise ValueError("its notes are no JSON object")
    return meta


def _read_array(file: h5py.File, place: str, dtype: type, num_axes: int) -> np.ndarray:
    dataset = file[place]
    is_array = isinstance(dataset, h5py.Dataset)
    if not is_array or dataset.dtype != dtype or dataset.ndim != num_axes:
        raise ValueError(f"{place} is not an array of {num_axes} axes of {np.dtype(dtype)}")
    return dataset[()]
