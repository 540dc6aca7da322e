"""The format `npz`: an episode as a file that `numpy.load` reads."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from visual_foresight.system.files import write_or_refuse
from visual_foresight.types import Episode, UserError

ARRAYS = ("actions", "frames", "states", "tracks")
SIGNAL, VIEW = "signal_", "view_"  # before the names of signals, and of further cameras
READ_ERRORS = (OSError, EOFError, KeyError, ValueError, TypeError, BadZipFile)


class Npz:
    """An `EpisodeFormat`: one file per episode, in folders with a `dataset.json`.

    Frames are not compressed: an episode of 30 frames takes 370 kB. A zip file has checksums.
    """

    suffix = ".npz"

    def write(self, path: Path, episode: Episode) -> None:
        """Write the whole file or nothing; the same episode gives the same bytes."""
        arrays = {name: getattr(episode, name) for name in ARRAYS}
        arrays |= {SIGNAL + name: values for name, values in sorted(episode.signals.items())}
        arrays |= {VIEW + name: frames for name, frames in sorted(episode.other_views.items())}
        memory = io.BytesIO()
        np.savez(memory, meta=np.array(json.dumps(dict(episode.meta))), **arrays)
        write_or_refuse(path, memory.getvalue())

    def read(self, path: Path) -> Episode:
        """Return what was written."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return Episode(
                    **{name: file[name] for name in ARRAYS},
                    meta=json.loads(str(file["meta"])),
                    signals=_named(file, SIGNAL),
                    other_views=_named(file, VIEW),
                )
        except READ_ERRORS as error:
            raise _unreadable(path, error) from error

    def read_meta(self, path: Path) -> Mapping[str, Any]:
        """Return the episode's notes alone: arrays of a zip file are read when asked for."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return dict(json.loads(str(file["meta"])))
        except READ_ERRORS as error:
            raise _unreadable(path, error) from error


def _named(file: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): file[name] for name in file if name.startswith(prefix)}


def _unreadable(path: Path, error: Exception) -> UserError:
    """Return the sentence that says which file cannot be read, and what to do about it."""
    if not path.exists():
        return UserError(
            f"{path} is missing: collect again with the same settings, which makes it anew"
        )
    return UserError(
        f"{path} is damaged or no episode ({error}): "
        "delete it and collect again with the same settings, which makes it anew"
    )
