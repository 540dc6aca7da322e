"""Episodes and `dataset.json`, to disk and back, as specified in `data/README.md`; the only file that knows HDF5.

Every file is written whole or not at all; one that cannot be read is named, with what to do about it.
"""

import errno
import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from visual_foresight.system.files import write_bytes
from visual_foresight.types import Episode, UserError, Workspace

SCHEMA_VERSION = 1
INFO_NAME = "dataset.json"
DEMO = "data/demo_0"
# Where each array of an `Episode` is, in robomimic's tree, with its type and number of axes.
ARRAYS: dict[str, tuple[str, type, int]] = {
    "actions": (f"{DEMO}/actions", np.float32, 2),
    "frames": (f"{DEMO}/obs/agentview_image", np.uint8, 4),
    "states": (f"{DEMO}/obs/state", np.float32, 2),
    "tracks": (f"{DEMO}/truth/tracks", np.float32, 3),
}


@dataclass(frozen=True)
class DatasetInfo:
    """What all episodes of a folder have in common: the content of `dataset.json`."""

    env: str
    frame_size: tuple[int, int]
    """(height, width) in pixels."""
    state_size: int
    workspace: Workspace
    """What an action means; its length is the size of an action."""
    table: tuple[tuple[float, ...], ...]
    """The camera's calibration: see `interfaces.Env.table`."""
    renderer: str
    package_version: str
    collection: Mapping[str, Any]
    """The settings that decide the episodes, the seed among them. Plain JSON values."""
    schema_version: int = SCHEMA_VERSION

    @property
    def action_size(self) -> int:
        """Return how many numbers an action has."""
        return len(self.workspace.low)


# --- writing -----------------------------------------------------------------------------------------------------------


def episode_path(folder: Path, index: int) -> Path:
    """Return where the episode of this number is."""
    return folder / f"episode_{index:06d}.hdf5"


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write `dataset.json`, atomically.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    _write(folder / INFO_NAME, (json.dumps(asdict(info), indent=2) + "\n").encode())


def write_episode(folder: Path, index: int, episode: Episode) -> Path:
    """Write an episode as `episode_<index>.hdf5`, atomically; the same episode gives the same bytes.

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
            file.create_dataset(place, data=array, **(packed if name == "frames" and array.size else {}))
        file["data"].attrs["total"] = len(episode.actions)
        file[DEMO].attrs["num_samples"] = len(episode.actions)
        file.attrs["schema_version"] = SCHEMA_VERSION
        file.attrs["meta"] = meta
        file.attrs["crc32"] = _checksum({name: getattr(episode, name) for name in ARRAYS}, meta)
    path = episode_path(folder, index)
    _write(path, memory.getvalue())
    return path


def _checksum(arrays: Mapping[str, np.ndarray], meta: str) -> int:
    """Return the CRC-32 of the arrays, in the order of `ARRAYS`, and the notes."""
    total = zlib.crc32(meta.encode())
    for name in ARRAYS:
        total = zlib.crc32(arrays[name].tobytes(), total)
    return total


def _write(path: Path, data: bytes) -> None:
    try:
        write_bytes(path, data)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise UserError(
            f"the disk of {path.parent} is full, {path.name} was not written: make room and run again"
        ) from error


# --- reading -----------------------------------------------------------------------------------------------------------


def read_info(folder: Path) -> DatasetInfo:
    """Read `dataset.json`.

    Raises:
        UserError: there is no such folder or file, or it says something else than this version understands.
    """
    path = folder / INFO_NAME
    if not path.is_file():
        raise UserError(f"{folder} is no folder of episodes (it has no {INFO_NAME}): collect some into it first")
    try:
        content = json.loads(path.read_bytes())
        if content["schema_version"] != SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema version {content['schema_version']}, version {SCHEMA_VERSION} was expected: "
                "read it with the package version that wrote it, or collect again"
            )
        content["workspace"] = Workspace(**{name: tuple(limit) for name, limit in content["workspace"].items()})
        content["frame_size"] = tuple(content["frame_size"])
        content["table"] = tuple(tuple(row) for row in content["table"])
        return DatasetInfo(**{field.name: content.pop(field.name) for field in fields(DatasetInfo)})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error!r}): delete the folder and collect again") from error


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
        return UserError(f"{path} is missing: collect again with the same settings, which makes it anew")
    return UserError(
        f"{path} is damaged or no episode ({error}): delete it and collect again with the same settings, "
        "which makes it anew"
    )


def _read_meta(file: h5py.File) -> dict[str, Any]:
    if file.attrs["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"schema version {file.attrs['schema_version']}, expected {SCHEMA_VERSION}")
    meta = json.loads(file.attrs["meta"])
    if not isinstance(meta, dict):
        raise ValueError("its notes are no JSON object")
    return meta


def _read_array(file: h5py.File, place: str, dtype: type, num_axes: int) -> np.ndarray:
    dataset = file[place]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype != dtype or dataset.ndim != num_axes:
        raise ValueError(f"{place} is not an array of {num_axes} axes of {np.dtype(dtype)}")
    return dataset[()]
