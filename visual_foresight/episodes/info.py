"""`dataset.json`: what all episodes of a folder have in common."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

import visual_foresight
from visual_foresight.env_info import Homography, Limits, Unlimited, View
from visual_foresight.interfaces import Env
from visual_foresight.system.files import write_or_refuse
from visual_foresight.types import Episode, UserError, Workspace

SCHEMA_VERSION = 1
INFO_NAME = "dataset.json"
HOMOGRAPHY_KEY = "table"
"""The homography's name in the file, since the first version of its schema."""


@dataclass(frozen=True)
class DatasetInfo:
    """The content of `dataset.json`."""

    env: str
    """Name of the env, a key of `envs.registry.ENVS` where it is one of ours."""
    frame_size: tuple[int, int]
    """(height, width) in pixels."""
    state_size: int
    """How many numbers the robot's state has."""
    workspace: Limits
    """What an action means."""
    homography: Homography | None
    """The camera's calibration; None where it is not calibrated."""
    renderer: str
    """What drew the frames."""
    package_version: str
    """Of the package that recorded the episodes."""
    collection: Mapping[str, Any]
    """The settings that decide the episodes, such as the seed: plain JSON values."""
    schema_version: int = SCHEMA_VERSION

    @property
    def action_size(self) -> int:
        """Return how many numbers an action has."""
        return self.workspace.action_size

    @property
    def view(self) -> View:
        """Return the camera that the frames are from."""
        return View(self.frame_size, self.homography)


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write `dataset.json`, atomically.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    content = {_key(name): value for name, value in asdict(info).items()}
    write_or_refuse(folder / INFO_NAME, (json.dumps(content, indent=2) + "\n").encode())


def read_info(folder: Path) -> DatasetInfo:
    """Read `dataset.json`.

    Raises:
        UserError: the folder or the file is missing, damaged, or of another schema version.
    """
    path = folder / INFO_NAME
    if not path.is_file():
        raise UserError(
            f"{folder} is no folder of episodes (it has no {INFO_NAME}): collect some into it first"
        )
    try:
        content = json.loads(path.read_bytes())
        version = content["schema_version"]
        if version != SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema version {version}, version {SCHEMA_VERSION} was expected: "
                "read it with the package version that wrote it, or collect again"
            )
        values = {field.name: content[_key(field.name)] for field in fields(DatasetInfo)}
        values["workspace"] = _limits(content["workspace"])
        values["frame_size"] = tuple(values["frame_size"])
        if values["homography"] is not None:
            values["homography"] = tuple(tuple(row) for row in values["homography"])
        return DatasetInfo(**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged ({error!r}): delete the folder and collect again"
        ) from error


def _limits(content: Mapping[str, Any]) -> Limits:
    """Return the workspace that is written so, or what stands for one that is not known."""
    if content.keys() == {"action_size"}:
        return Unlimited(int(content["action_size"]))
    return Workspace(**{name: tuple(limit) for name, limit in content.items()})


def _key(field: str) -> str:
    """Return the name of a field of `DatasetInfo` in the file."""
    return HOMOGRAPHY_KEY if field == "homography" else field


def misfit(episode: Episode, info: DatasetInfo) -> str | None:
    """Return in what way an episode does not fit its dataset, in words, or None if it fits."""
    frame_shape = (*info.frame_size, 3)
    if episode.frames.shape[1:] != frame_shape:
        shape = episode.frames.shape[1:]
        return f"has frames of (height, width, channels) {shape}, not {frame_shape}"
    sizes = (
        ("actions of size", episode.actions.shape[1], info.action_size),
        ("states of size", episode.states.shape[1], info.state_size),
        ("track coordinates", episode.tracks.shape[2], 2),
    )
    for what, size, expected in sizes:
        if size != expected:
            return f"has {what} {size}, not {expected}"
    if not all(np.isfinite(values).all() for values in episode.signals.values()):
        return "has a NaN"
    if not np.isfinite(episode.actions).all() or not np.isfinite(episode.states).all():
        return "has a NaN"
    return None


def describe(name: str, env: Env, collection: Mapping[str, Any]) -> DatasetInfo:
    """Return the description of episodes that are recorded in an env.

    Args:
        name: the env's name, as `envs.registry.make` takes it.
        env: after a reset.
        collection: the settings that decide the episodes, as plain JSON values.
    """
    return DatasetInfo(
        env=name,
        frame_size=env.info.frame_size,
        state_size=env.info.state_size,
        workspace=env.info.limits,
        homography=env.info.view.homography,
        renderer=env.info.renderer,
        package_version=visual_foresight.__version__,
        collection=collection,
    )
