"""`dataset.json`: what all episodes of a folder have in common."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

import visual_foresight
from visual_foresight.env_info import Homography, Limits, Unlimited, View, require_views
from visual_foresight.interfaces import Env
from visual_foresight.system.files import write_or_refuse
from visual_foresight.types import Episode, UserError, Workspace

SCHEMA_VERSION = 1
INFO_NAME = "dataset.json"
HOMOGRAPHY_KEY = "table"
"""The homography's name in the file, since the first version of its schema."""
OPTIONAL = ("main_view", "other_views")
"""Fields that the file has only where the dataset names its views."""
UNNAMED_VIEW = "front"
"""What the view is called of a dataset that does not name it."""


@dataclass(frozen=True)
class DatasetInfo:
    """The content of `dataset.json`."""

    env: str
    """Name of the env, a key of `envs.registry.ENVS` where it is one of ours."""
    frame_size: tuple[int, int]
    """(height, width) in pixels, of the main view."""
    state_size: int
    """How many numbers the robot's state has."""
    workspace: Limits
    """What an action means."""
    homography: Homography | None
    """The main camera's calibration; None where it is not calibrated."""
    renderer: str
    """What drew the frames."""
    package_version: str
    """Of the package that recorded the episodes."""
    collection: Mapping[str, Any]
    """The settings that decide the episodes, such as the seed: plain JSON values."""
    schema_version: int = SCHEMA_VERSION
    main_view: str | None = None
    """Name of the camera that `Episode.frames` are from; None where it is the env's own first, and
    the only one."""
    other_views: Mapping[str, View] = field(default_factory=dict)
    """The cameras of `Episode.other_views`, by name."""

    @property
    def action_size(self) -> int:
        """Return how many numbers an action has."""
        return self.workspace.action_size

    @property
    def view(self) -> View:
        """Return the camera that the frames are from."""
        return View(self.frame_size, self.homography)

    @property
    def views(self) -> Mapping[str, View]:
        """Return all cameras by name, that of the frames first."""
        return {self.main_view or UNNAMED_VIEW: self.view, **self.other_views}

    def with_views(self, names: Sequence[str]) -> "DatasetInfo":
        """Return what the file would say if the episodes had these views only, the first as main.

        Raises:
            UserError: there is no such view, or it is named twice.
        """
        require_views(names, tuple(self.views), "the data")
        if tuple(names) == tuple(self.views):
            return self
        main, *others = names
        view = self.views[main]
        return replace(
            self,
            frame_size=view.frame_size,
            homography=view.homography,
            main_view=main,
            other_views={name: self.views[name] for name in others},
        )


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write `dataset.json`, atomically.

    Raises:
        UserError: the disk is full; nothing half-written is left.
    """
    content = {_key(name): value for name, value in asdict(info).items()}
    for name in OPTIONAL:
        if not content[name]:
            del content[name]
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
        known = {**dict.fromkeys(OPTIONAL), **content}
        values = {each.name: known[_key(each.name)] for each in fields(DatasetInfo)}
        values["workspace"] = _limits(content["workspace"])
        main = _view(content["frame_size"], values["homography"])
        values["frame_size"], values["homography"] = main.frame_size, main.homography
        values["other_views"] = {
            name: _view(view["frame_size"], view["homography"])
            for name, view in (values["other_views"] or {}).items()
        }
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


def _view(frame_size: Sequence[int], homography: Sequence[Sequence[float]] | None) -> View:
    """Return the camera that is written so."""
    height, width = frame_size
    rows = None if homography is None else tuple(tuple(row) for row in homography)
    return View((height, width), rows)


def _key(name: str) -> str:
    """Return the name of a field of `DatasetInfo` in the file."""
    return HOMOGRAPHY_KEY if name == "homography" else name


def misfit(episode: Episode, info: DatasetInfo) -> str | None:
    """Return in what way an episode does not fit its dataset, in words, or None if it fits."""
    frame_shape = (*info.frame_size, 3)
    if episode.frames.shape[1:] != frame_shape:
        shape = episode.frames.shape[1:]
        return f"has frames of (height, width, channels) {shape}, not {frame_shape}"
    if episode.other_views.keys() != info.other_views.keys():
        further = ", ".join(sorted(episode.other_views)) or "none"
        wanted = ", ".join(sorted(info.other_views)) or "none"
        return f"has the further views {further}, not {wanted}"
    for name, view in info.other_views.items():
        shape = episode.other_views[name].shape[1:]
        if shape != (*view.frame_size, 3):
            return f"has frames of {shape} from the view {name!r}, not {(*view.frame_size, 3)}"
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


def describe(
    name: str, env: Env, collection: Mapping[str, Any], is_own_view: bool = True
) -> DatasetInfo:
    """Return the description of episodes that are recorded in an env.

    Args:
        name: the env's name, as `envs.registry.make` takes it.
        env: after a reset.
        collection: the settings that decide the episodes, as plain JSON values.
        is_own_view: whether the env shows this view by itself, if it has one: then its name need
            not be known.
    """
    main, *others = env.info.views
    return DatasetInfo(
        env=name,
        frame_size=env.info.frame_size,
        state_size=env.info.state_size,
        workspace=env.info.limits,
        homography=env.info.view.homography,
        renderer=env.info.renderer,
        package_version=visual_foresight.__version__,
        collection=collection,
        main_view=main if others or not is_own_view else None,
        other_views={view: env.info.views[view] for view in others},
    )
