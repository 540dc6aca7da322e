"""Episodes to disk and back, as specified in `data/README.md`; the only file that knows HDF5.

Every file is written whole or not at all; one that cannot be read is named, with what to do
about it.
"""

import io
import json
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
# Where each array of an `Episode` is, in robomimic's tree, with its type and number of axes.
ARRAYS: dict[str, tuple[str, type, int]] = {
    "actions": (f"{DEMO}/actions", np.float32, 2),
    "frames": (f"{DEMO}/obs/agentview_image", np.uint8, 4),
    "states": (f"{DEMO}/obs/state", np.float32, 2),
    "tracks": (f"{DEMO}/truth/tracks", np.float32, 3),
}


def episode_path(folder: Path, index: int) -> Path:
    """Return where the episode of this number is."""
    return folder / f"episode_{index:06d}.hdf5"


def write_episode(folder: Path, index: int, episode: Episode) -> Path:
    """Write an episode as `episode_<index>.hdf5`, atomically; the same episode gives the same
    bytes.

    Returns:
        Where it is.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    memory = io.BytesIO()
    meta = json.dumps(dict(episode.meta))
    # HDF5 1.10 has checksums on its own structures; the content has ours.
    with h5py.File(memory, "w", libver=("v110", "v110")) as file:
        for name, (place, _, _) in ARRAYS.items():
            array = getattr(episode, name)
            packed = {"chunks": array.shape, "compression": "gzip", "compression_opts": 4}
            file.create_dataset(
                place, data=array, **(packed if name == "frames" and array.size else {})
            )
        file["data"].attrs["total"] = len(episode.actions)
        file[DEMO].attrs["num_samples"] = len(episode.actions)
        file.attrs["schema_version"] = SCHEMA_VERSION
        file.attrs["meta"] = meta
        file.attrs["crc32"] = _checksum({name: getattr(episode, name) for name in ARRAYS}, meta)
    path = episode_path(folder, index)
    write_or_refuse(path, memory.getvalue())
    return path


def _checksum(arrays: Mapping[str, np.ndarray], meta: str) -> int:
    """Return the CRC-32 of the arrays, in the order of `ARRAYS`, and the notes."""
    total = zlib.crc32(meta.encode())
    for name in ARRAYS:
        total = zlib.crc32(arrays[name].tobytes(), total)
    return total


def read_episode(path: Path) -> Episode:
    """Read one episode.

    Raises:
        UserError: the file is missing, damaged, or no episode; the sentence names it.
    """
    try:
        with h5py.File(path, "r") as file:
            meta = _read_meta(file)
            arrays = {name: _read_array(file, *where) for name, where in ARRAYS.items()}
            if file.attrs["crc32"] != _checksum(arrays, file.attrs["meta"]):
                raise ValueError("its content does not match its checksum")
        return Episode(**arrays, meta=meta)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def read_meta(path: Path) -> Mapping[str, Any]:
    """Read what is noted about an episode, without its arrays. Raises as `read_episode` does."""
    try:
        with h5py.File(path, "r") as file:
            return _read_meta(file)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> UserError:
    if not path.exists():
        return UserError(
            f"{path} is missing: collect again with the same settings, which makes it anew"
        )
    return UserError(
        f"{path} is damaged or no episode ({error}): delete it and collect again with the same settings, "
        "which makes it anew"
    )


def _read_meta(file: h5py.File) -> dict[str, Any]:
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        raise ValueError(
            f"schema version {file.attrs['schema_version']}, expected {SCHEMA_VERSION}"
        )
    meta = json.loads(file.attrs["meta"])
    if not isinstance(meta, dict):
        raise ValueError("its notes are no JSON object")
    return meta


def _read_array(file: h5py.File, place: str, dtype: type, num_axes: int) -> np.ndarray:
    dataset = file[place]
    if (
        not isinstance(dataset, h5py.Dataset)
        or dataset.dtype != dtype
        or dataset.ndim != num_axes
    ):
        raise ValueError(f"{place} is not an array of {num_axes} axes of {np.dtype(dtype)}")
    return dataset[()]
