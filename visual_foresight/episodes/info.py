"""What all episodes of a folder have in common: `dataset.json`, to disk and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import visual_foresight
from visual_foresight.interfaces import Env
from visual_foresight.system.files import write_or_refuse
from visual_foresight.types import UserError, Workspace

SCHEMA_VERSION = 1
INFO_NAME = "dataset.json"
HOMOGRAPHY_KEY = "table"
"""What the camera's homography is called in the file, since the first version of its schema."""


@dataclass(frozen=True)
class DatasetInfo:
    """What all episodes of a folder have in common: the content of `dataset.json`."""

    env: str
    frame_size: tuple[int, int]
    """(height, width) in pixels."""
    state_size: int
    workspace: Workspace
    """What an action means; its length is the size of an action."""
    homography: tuple[tuple[float, ...], ...]
    """The camera's calibration: see `interfaces.Env.homography`."""
    renderer: str
    package_version: str
    collection: Mapping[str, Any]
    """The settings that decide the episodes, the seed among them. Plain JSON values."""
    schema_version: int = SCHEMA_VERSION

    @property
    def action_size(self) -> int:
        """Return how many numbers an action has."""
        return len(self.workspace.low)


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write `dataset.json`, atomically.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    content = {
        HOMOGRAPHY_KEY if name == "homography" else name: value
        for name, value in asdict(info).items()
    }
    write_or_refuse(folder / INFO_NAME, (json.dumps(content, indent=2) + "\n").encode())


def read_info(folder: Path) -> DatasetInfo:
    """Read `dataset.json`.

    Raises:
        UserError: there is no such folder or file, or it says something else than this version
            understands.
    """
    path = folder / INFO_NAME
    if not path.is_file():
        raise UserError(
            f"{folder} is no folder of episodes (it has no {INFO_NAME}): collect some into it first"
        )
    try:
        content = json.loads(path.read_bytes())
        if content["schema_version"] != SCHEMA_VERSION:
            raise UserError(
                f"{path} has schema version {content['schema_version']}, version {SCHEMA_VERSION} was expected: "
                "read it with the package version that wrote it, or collect again"
            )
        content["workspace"] = Workspace(
            **{name: tuple(limit) for name, limit in content["workspace"].items()}
        )
        content["frame_size"] = tuple(content["frame_size"])
        content["homography"] = tuple(tuple(row) for row in content.pop(HOMOGRAPHY_KEY))
        return DatasetInfo(
            **{field.name: content.pop(field.name) for field in fields(DatasetInfo)}
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is damaged ({error!r}): delete the folder and collect again"
        ) from error


def describe(name: str, env: Env, collection: Mapping[str, Any]) -> DatasetInfo:
    """Return what is written beside episodes recorded in an env.

    Args:
        name: the env's, as `make` takes it.
        env: after a reset.
        collection: what decides the episodes, as plain JSON values.
    """
    return DatasetInfo(
        env=name,
        frame_size=env.frame_size,
        state_size=len(env.observe().state),
        workspace=env.workspace,
        homography=tuple(tuple(float(value) for value in row) for row in env.homography),
        renderer=env.renderer,
        package_version=visual_foresight.__version__,
        collection=collection,
    )
