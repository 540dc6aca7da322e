"""Many episodes, by several processes, into a folder.

What is already there stays, what was interrupted is done again.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from visual_foresight.collect.recorder import record_episode
from visual_foresight.envs.registry import make
from visual_foresight.episodes.formats.hdf5 import episode_path, read_meta, write_episode
from visual_foresight.episodes.info import DatasetInfo, describe, read_info, write_info
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import UserError

BATCH = 8  # episodes per task of a worker, in one env
SETTINGS = ("steps", "seed", "num_objects", "held_out", "privileged")
"""The fields of `CollectConfig` that decide an episode, besides the env and its frame size."""


@dataclass(frozen=True)
class CollectConfig:
    """What to collect, and where to."""

    folder: Path = Path("data/push")
    """Where the episodes go; those of the same settings that are there already are kept."""
    env: str = "push"
    """Which world."""
    episodes: int = 2500
    """How many episodes the folder is to hold."""
    steps: int = 20
    """Actions per episode."""
    frame_size: tuple[int, int] = (64, 64)
    """Height and width of a frame in pixels."""
    workers: int = os.cpu_count() or 1
    """Processes; they do not change what is collected."""
    seed: int = 0
    """Decides every episode, together with its number."""
    num_objects: int | None = None
    """Objects per scene; when absent, drawn anew for each (push), or the dot alone (dot)."""
    held_out: bool = False
    """Use the objects that training data never shows."""
    privileged: bool = False
    """Aim at the objects' true places; dataset.json says so."""

    def __post_init__(self) -> None:
        for name in ("episodes", "steps", "workers"):
            if getattr(self, name) < 1:
                raise UserError(
                    f"{name} must be 1 or more, got {getattr(self, name)}: choose another number"
                )
        if self.seed < 0:
            raise UserError(f"seed must be 0 or more, got {self.seed}: choose another number")


@dataclass(frozen=True)
class CollectSummary:
    """How a collection went."""

    episodes_new: int
    episodes_kept: int
    seconds: float
    frames_per_second: float
    """New frames per second of wall-clock time, the workers' start included."""
    frames_per_second_per_core: float
    moved_share: float
    """Share of the steps of all episodes, new and kept, in which an object moved more than 2
    mm; told by the truth."""


def collect(config: CollectConfig, progress: bool = True) -> CollectSummary:
    """Fill a folder with episodes.

    Each episode depends on the settings and its number alone: the same bytes whatever the
    workers, and however often it was interrupted. At most the episodes in flight are lost when
    it is killed.

    Args:
        config: what to collect.
        progress: show a progress bar on stderr.

    Raises:
        UserError: the folder holds something else, another collection works on it, or the disk
            is full.
    """
    info = _info(config)
    began = time.perf_counter()
    with _alone(config.folder):
        _agree(config.folder, info)
        for leftover in config.folder.glob(".*.tmp.*"):
            leftover.unlink(missing_ok=True)
        indices = range(config.episodes)
        kept = [index for index in indices if episode_path(config.folder, index).exists()]
        new = sorted(set(indices) - set(kept))
        num_moved = sum(sum(_moved(episode_path(config.folder, index))) for index in kept)
        batches = [(config, new[first : first + BATCH]) for first in range(0, len(new), BATCH)]
        with tqdm(
            total=len(indices), initial=len(kept), unit="episode", disable=not progress
        ) as bar:
            for (_, batch), moved in run_parallel(_record_batch, batches, config.workers):
                num_moved += moved
                bar.update(len(batch))
    seconds = time.perf_counter() - began
    rate = len(new) * (config.steps + 1) / seconds
    return CollectSummary(
        episodes_new=len(new),
        episodes_kept=len(kept),
        seconds=seconds,
        frames_per_second=rate,
        frames_per_second_per_core=rate / min(config.workers, os.cpu_count() or 1),
        moved_share=num_moved / (config.episodes * config.steps),
    )


def _moved(path: Path) -> Sequence[bool]:
    """Return in which steps of a kept episode an object moved."""
    meta = read_meta(path)
    if "object_moved" not in meta:
        raise UserError(f"{path} was not recorded by `collect`: move it elsewhere")
    return meta["object_moved"]


def _info(config: CollectConfig) -> DatasetInfo:
    env = make(config.env, config.frame_size, config.held_out)
    env.reset(
        seed=0,
        options=None if config.num_objects is None else {"num_objects": config.num_objects},
    )
    info = describe(config.env, env, {name: getattr(config, name) for name in SETTINGS})
    env.close()
    return info


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other collections out of a folder; the lock goes with the process, however it ends."""
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file, a folder was expected: choose another place")
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise UserError(
            f"another collection is writing to {folder}: wait for it, or choose another folder"
        ) from error
    finally:
        os.close(handle)


def _agree(folder: Path, info: DatasetInfo) -> None:
    """Start a new dataset, or make sure that the folder's dataset was collected with the same settings."""
    visible = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    if not visible:
        write_info(folder, info)
    there, here = (_deciding(each) for each in (read_info(folder), info))
    changed = [
        f"{name} {there.get(name)} there, {value} here"
        for name, value in here.items()
        if there.get(name) != value
    ]
    if changed:
        raise UserError(
            f"{folder} was collected with other settings ({'; '.join(changed)}): use the same, or choose another folder"
        )


def _deciding(info: DatasetInfo) -> dict[str, Any]:
    homography = [
        [f"{value:.6g}" for value in row] for row in info.homography
    ]  # the explorer aims by it; machines round differently
    settings = {
        "env": info.env,
        "frame_size": tuple(info.frame_size),
        "workspace": asdict(info.workspace),
        "homography": homography,
    }
    return {**settings, **info.collection}


def _record_batch(job: tuple[CollectConfig, list[int]]) -> int:
    """Record and write these episodes; return in how many of their steps an object moved."""
    config, indices = job
    env = make(config.env, config.frame_size, config.held_out)
    num_moved = 0
    for index in indices:
        episode = record_episode(
            env, config.seed, index, config.steps, config.num_objects, config.privileged
        )
        write_episode(config.folder, index, episode)
        num_moved += sum(episode.meta["object_moved"])
    env.close()
    return num_moved
