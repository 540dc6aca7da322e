"""What is where in our HDF5 files, and their checksum, as `data/README.md` specifies them."""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import h5py
import numpy as np

from visual_foresight.episodes.info import SCHEMA_VERSION
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
ONE_CHUNK = 2**24
"""Bytes of a view's frames up to which an episode is short: they are one chunk."""
CHUNK = 2**22
"""Bytes of a view's frames in each chunk of a long episode, one frame at least."""
SPARE = 2**18
"""Bytes that HDF5's own structures may need with each chunk of a long episode, and at its end."""
VERSIONS = ("v110", "v110")
"""From 1.10 on, HDF5 has checksums of its own structures; we add one of the content."""


def is_long(sizes: Mapping[str, int]) -> bool:
    """Tell whether an episode is written in several chunks.

    Args:
        sizes: bytes of the frames of each view.
    """
    return max(sizes.values()) > ONE_CHUNK


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


def place_of(view: str) -> str:
    """Return where the frames of a view are."""
    return ARRAYS["frames"][0] if view == FIRST_VIEW else f"{DEMO}/obs/{view}_image"


def other_views_in(file: h5py.File) -> list[str]:
    """Return the names of the further views in a file."""
    found = [OTHER_VIEW.fullmatch(name) for name in file[f"{DEMO}/obs"]]
    return [match[1] for match in found if match is not None]


def write_rest(
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
    file.attrs["crc32"] = checksum(arrays, episode.signals, others, meta.encode())


def checksum(
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
    """Yield the bytes of an array, about `CHUNK` at a time, and of whole chunks in a file."""
    row_bytes = int(np.prod(array.shape[1:])) * array.dtype.itemsize
    count = max(1, CHUNK // max(1, row_bytes))
    if isinstance(array, h5py.Dataset) and array.chunks is not None:
        count = max(1, count // array.chunks[0]) * array.chunks[0]
    for begin in range(0, len(array), count):
        yield array[begin : begin + count].tobytes()
