"""Collect episodes into a folder, with several processes.

Episodes that the folder already has are kept, so that an interrupted collection can be resumed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from visual_foresight.collect.explorers.registry import DEFAULT_EXPLORER, EXPLORERS
from visual_foresight.collect.recorder import make_explorer, record_episode
from visual_foresight.env_info import view_names
from visual_foresight.envs.registry import make
from visual_foresight.episodes.episode_files import (
    episode_path,
    foreign_error,
    half_written,
    is_beside,
    list_folder,
    number_elsewhere,
    read_meta,
    refuse_inside_dataset,
    write_episode,
)
from visual_foresight.episodes.formats.registry import DEFAULT_FORMAT, episode_formats
from visual_foresight.episodes.info import (
    INFO_NAME,
    DatasetInfo,
    describe,
    read_info,
    write_info,
)
from visual_foresight.interfaces import Env
from visual_foresight.system.cores import usable_cores
from visual_foresight.system.locks import locked
from visual_foresight.system.processes import run_parallel
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import UserError

BATCH = 8  # episodes per job of a worker, recorded in the same env
SETTINGS = ("steps", "seed", "num_objects", "held_out", "privileged")
"""The fields of `CollectConfig` that decide an episode, besides `explorer`, env and frame size."""


@dataclass(frozen=True)
class CollectConfig:
    """What to collect, and where to."""

    folder: Path = Path("data/push")
    """Where the episodes go; those that it already has are kept."""
    env: str = "push"
    """Which world."""
    episodes: int = 2500
    """How many episodes the folder will have."""
    steps: int = 20
    """Actions per episode."""
    frame_size: tuple[int, int] = (64, 64)
    """Height and width of a frame in pixels."""
    workers: int = usable_cores()
    """Processes; their number does not change what is collected."""
    seed: int = 0
    """Decides each episode, together with its number."""
    num_objects: int | None = None
    """Objects per scene; when absent, a random number (push), or the dot alone (dot)."""
    explorer: str = DEFAULT_EXPLORER
    """What moves the robot: sweeps (through what may be an object; it needs a calibrated camera and
    a workspace), or smooth (at random; it needs nothing)."""
    views: str = ""
    """Names of cameras with commas, such as front,side, of which the first one gives the frames;
    by default the env's own first."""
    held_out: bool = False
    """Use objects that training data never shows."""
    format: str = DEFAULT_FORMAT
    """What new episodes are written in: hdf5, or the name of a format that a package brings."""
    privileged: bool = False
    """Aim at the objects' true places; dataset.json says so."""

    def __post_init__(self) -> None:
        for name in ("episodes", "steps", "workers"):
            value = getattr(self, name)
            if value < 1:
                raise UserError(f"{name} must be 1 or more, got {value}: choose another number")
        require_seed(self.seed)
        if self.explorer not in EXPLORERS:
            known = ", ".join(EXPLORERS)
            raise UserError(f"unknown explorer {self.explorer!r}: choose one of {known}")
        if self.format not in episode_formats():
            known = ", ".join(episode_formats())
            raise UserError(f"unknown format {self.format!r} of files: choose one of {known}")

    @property
    def view_names(self) -> tuple[str, ...]:
        """Return the names of the cameras that were asked for."""
        return view_names(self.views)

    @property
    def settings(self) -> dict[str, Any]:
        """Return what decides an episode together with the env and frame size, as JSON values."""
        settings = {name: getattr(self, name) for name in SETTINGS}
        if (
            self.explorer != DEFAULT_EXPLORER
        ):  # there are datasets from before there was a choice
            settings["explorer"] = self.explorer
        return settings


@dataclass(frozen=True)
class CollectSummary:
    """The result of a collection."""

    episodes_new: int
    episodes_kept: int
    seconds: float
    frames_per_second: float
    """New frames per second of wall-clock time, including the start of the workers."""
    frames_per_second_per_core: float
    moved_share: float | None
    """Share of the steps of all episodes, new and kept, in which an object truly moved by more
    than 2 mm; None where the world has no judge to say so."""


def collect(config: CollectConfig, progress: bool = True) -> CollectSummary:
    """Record episodes until a folder has as many as wanted.

    The bytes of an episode depend on the settings and its number alone, not on the number of
    workers, nor on interruptions. A collection that is killed loses at most the episodes that
    were being recorded.

    Args:
        config: what to collect.
        progress: show a progress bar on stderr.

    Raises:
        UserError: the folder contains something else, another collection is writing to it, the
            disk is full, or the explorer needs what this world does not have.
    """
    refuse_inside_dataset(config.folder, "--folder")
    info = _describe(config)
    began = time.perf_counter()
    with locked(config.folder, "collection", "choose another folder"):
        _require_same_settings(config.folder, info)
        for leftover in half_written(config.folder):
            leftover.unlink(missing_ok=True)
        for path in list_folder(config.folder)[1]:
            if number_elsewhere(path) is not None:  # it would be collected a second time
                raise foreign_error(path)
        indices = range(config.episodes)
        kept = [index for index in indices if episode_path(config.folder, index).exists()]
        new = sorted(set(indices) - set(kept))
        moved = [_steps_moved(_meta(episode_path(config.folder, i))) for i in kept]
        jobs = [(config, new[first : first + BATCH]) for first in range(0, len(new), BATCH)]
        with tqdm(
            total=len(indices), initial=len(kept), unit="episode", disable=not progress
        ) as bar:
            for (_, batch), moved_in_batch in run_parallel(_record_batch, jobs, config.workers):
                moved += moved_in_batch
                bar.update(len(batch))
    seconds = time.perf_counter() - began
    rate = len(new) * (config.steps + 1) / seconds
    return CollectSummary(
        episodes_new=len(new),
        episodes_kept=len(kept),
        seconds=seconds,
        frames_per_second=rate,
        frames_per_second_per_core=rate / min(config.workers, usable_cores()),
        moved_share=_share(moved, config.episodes * config.steps),
    )


def _share(moved: Sequence[int | None], num_steps: int) -> float | None:
    """Return the share of steps in which an object moved, if that is known of all episodes."""
    known = [each for each in moved if each is not None]
    return sum(known) / num_steps if len(known) == len(moved) else None


def _meta(path: Path) -> Mapping[str, Any]:
    """Return the notes of an episode that was kept."""
    meta = read_meta(path)
    if not {"seed", "index"} <= meta.keys():
        raise UserError(f"{path} was not recorded by `collect`: move it elsewhere")
    return meta


def _steps_moved(meta: Mapping[str, Any]) -> int | None:
    """Return in how many steps an object moved; None where no judge said so."""
    return sum(meta["object_moved"]) if "object_moved" in meta else None


def _describe(config: CollectConfig) -> DatasetInfo:
    env = _make(config)
    make_explorer(env, config.explorer, config.privileged)  # refused before there is a folder
    options = None if config.num_objects is None else {"num_objects": config.num_objects}
    env.reset(seed=0, options=options)
    is_own_view = True
    if len(config.view_names) == 1:
        as_it_is = make(config.env)
        is_own_view = next(iter(as_it_is.info.views)) == next(iter(env.info.views))
        as_it_is.close()
    info = describe(config.env, env, config.settings, is_own_view)
    env.close()
    return info


def _make(config: CollectConfig) -> Env:
    return make(config.env, config.frame_size, config.held_out, config.view_names)


def _require_same_settings(folder: Path, info: DatasetInfo) -> None:
    """Begin a new dataset, or refuse a folder whose episodes have other settings."""
    if not (folder / INFO_NAME).exists():
        others = sorted(path.name for path in folder.iterdir() if not is_beside(path))
        if others:
            raise UserError(
                f"{folder} is no folder of episodes (it has no {INFO_NAME}, but {others[0]}): "
                "choose an empty folder, or one that is not there yet"
            )
        write_info(folder, info)
    there = _settings(read_info(folder))
    here = _settings(info)
    changed = [
        f"{name} {there.get(name)} there, {value} here"
        for name, value in here.items()
        if there.get(name) != value
    ]
    if changed:
        raise UserError(
            f"{folder} was collected with other settings ({'; '.join(changed)}): "
            "use the same, or choose another folder"
        )


def _settings(info: DatasetInfo) -> dict[str, Any]:
    """Return what decides the episodes of a folder."""
    # Explorers aim by the homography. Machines round it differently, so we compare six digits.
    calibrations = {
        name: [[f"{value:.6g}" for value in row] for row in view.homography or ()]
        for name, view in info.views.items()
    }
    homography, *others = calibrations.values()
    return {
        "env": info.env,
        "views": ",".join(info.views),
        "other_views": others,
        "frame_size": info.frame_size,
        "workspace": asdict(info.workspace),
        "homography": homography,
        **info.collection,
    }


def _record_batch(job: tuple[CollectConfig, list[int]]) -> list[int | None]:
    """Record and write episodes, and return in how many steps of each an object moved."""
    config, indices = job
    env = _make(config)
    moved = []
    for index in indices:
        episode = record_episode(
            env,
            config.seed,
            index,
            config.steps,
            config.num_objects,
            config.privileged,
            config.explorer,
        )
        write_episode(config.folder, index, episode, config.format)
        moved.append(_steps_moved(episode.meta))
    env.close()
    return moved
