"""Finish recordings whose program was killed: what was on the disk becomes an episode."""

import fcntl
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from visual_foresight.episodes.causes import RECORDING
from visual_foresight.episodes.episode_files import refuse_breach
from visual_foresight.episodes.formats.hdf5.format import HDF5
from visual_foresight.episodes.formats.hdf5.journal import Leftover, paths_of
from visual_foresight.episodes.formats.hdf5.layout import FIRST_VIEW, is_long
from visual_foresight.episodes.formats.hdf5.stream import HDF5Stream
from visual_foresight.episodes.info import INFO_NAME, read_info
from visual_foresight.system.files import refusing_full_disk, replacing
from visual_foresight.types import Episode, UserError


def recover_all(folder: Path) -> list[Path]:
    """Finish every recording in a folder that was broken off, and return the episodes.

    Raises:
        UserError: one is being recorded now, or cannot be finished.
    """
    left = [path for path in sorted(folder.glob(".*")) if RECORDING.fullmatch(path.name)]
    hidden = sorted({path.with_suffix(HDF5.suffix) for path in left})
    return [recover(path) for path in hidden]


def recover(hidden: Path) -> Path:
    """Make an episode of what a recording left, without its notes, and remove the leftovers.

    Args:
        hidden: `.episode_000007.recording.tmp.hdf5`.

    Returns:
        The file of the episode.

    Raises:
        UserError: it is being recorded now, nothing was recorded, or there is an episode of that
            number already.
    """
    path = hidden.with_name(hidden.name[1:].replace(".recording.tmp", ""))
    steps_path, frames_path = paths_of(hidden)
    with ExitStack() as held:
        try:
            steps = held.enter_context(steps_path.open("rb"))
            fcntl.flock(steps, fcntl.LOCK_SH | fcntl.LOCK_NB)
            left = Leftover(hidden)
        except BlockingIOError as error:
            raise UserError(f"{path} is being recorded now: end that, and try again") from error
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{hidden} has no step that was written whole ({error}): delete it"
            ) from error
        if path.exists():
            raise UserError(
                f"{path} is there already, and {hidden.name} has a recording of that number, too: "
                "move one of them elsewhere, or delete the second"
            )
        if not left.steps:
            raise UserError(f"{hidden} has no step that was written whole: delete it")
        _write(path, left)
    for each in (hidden, steps_path, frames_path):
        each.unlink(missing_ok=True)
    return path


def _write(path: Path, left: Leftover) -> None:
    """Write the episode; memory holds a part of its frames."""
    num_frames = len(left.steps) + 1
    (first,) = left.frames(0, 1)
    episode = _episode(left, first)
    info = read_info(path.parent) if (path.parent / INFO_NAME).is_file() else None
    refuse_breach(path, episode, info)
    if not is_long({name: num_frames * frame.nbytes for name, frame in first.items()}):
        frames = left.frames(0, num_frames)
        stacked = {name: np.stack([each[name] for each in frames]) for name in first}
        main = stacked.pop(FIRST_VIEW)
        HDF5().write(path, Episode(**{**vars(episode), "frames": main, "other_views": stacked}))
        return
    with (
        refusing_full_disk(path),
        replacing(path) as temporary,
        HDF5Stream(temporary, first) as stream,
    ):
        for number in range(1, num_frames):
            stream.append(*left.frames(number, number + 1))
        stream.finish(episode)


def _episode(left: Leftover, first: dict[str, np.ndarray]) -> Episode:
    """Return all but the frames, for each of which the first stands."""
    num_frames = len(left.steps) + 1
    views = {
        name: np.broadcast_to(frame, (num_frames, *frame.shape))
        for name, frame in first.items()
    }
    names = [
        name
        for name in left.steps[0]["signals"]
        if all(name in step["signals"] for step in left.steps)
    ]
    return Episode(
        actions=np.array([step["action"] for step in left.steps], np.float32),
        frames=views.pop(FIRST_VIEW),
        states=np.array(
            [left.first_state, *(step["state"] for step in left.steps)], np.float32
        ),
        tracks=np.zeros((num_frames, 0, 2), np.float32),
        signals={
            name: np.array([step["signals"][name] for step in left.steps], np.float32)
            for name in names
        },
        other_views=views,
    )
