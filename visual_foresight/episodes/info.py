"""`dataset.json`: what all episodes of a folder have in common."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import visual_foresight
from visual_foresight.env_info import Homography, Limits, Unlimited, View, require_views
from visual_foresight.episodes.casts import plain_json
from visual_foresight.episodes.json_fields import Fields
from visual_foresight.interfaces import Env
from visual_foresight.system.files import write_or_refuse
from visual_foresight.types import UserError, Workspace

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
    def was_collected(self) -> bool:
        """Tell whether `collect` made the episodes, and can make each anew from its number."""
        return {"steps", "seed"} <= self.collection.keys()

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
        UserError: `read_info` would refuse it, or the disk is full; nothing half-written is left.
    """
    content = {_key(name): value for name, value in asdict(info).items()}
    for name in OPTIONAL:
        if not content[name]:
            del content[name]
    path = folder / INFO_NAME
    content = plain_json(content, INFO_NAME)
    _parsed(content, path)
    write_or_refuse(path, (json.dumps(content, indent=2) + "\n").encode())


def read_info(folder: Path) -> DatasetInfo:
    """Read `dataset.json`.

    Raises:
        UserError: the folder or the file is missing, of another schema version, or wrong; the
            sentence names the line and column, or the field.
    """
    path = folder / INFO_NAME
    if not path.is_file():
        raise UserError(
            f"{folder} is no folder of episodes (it has no {INFO_NAME}): collect some into it first"
        )
    try:
        content = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path} is no JSON: {error.msg} at line {error.lineno}, column {error.colno}; "
            "correct it there (the episodes are not touched by this)"
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is no text in UTF-8 (byte {error.start}): save it as UTF-8"
        ) from error
    return _parsed(content, path)


def _parsed(content: Any, path: Path) -> DatasetInfo:
    """Return what `dataset.json` says."""
    fields = Fields(content, path)
    version = fields.whole("schema_version", minimum=0)
    if version != SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema version {version}, version {SCHEMA_VERSION} was expected: "
            "read it with the package version that wrote it"
        )
    others = fields.inside("other_views") if fields.has("other_views") else None
    return DatasetInfo(
        env=fields.text("env"),
        frame_size=fields.frame_size("frame_size"),
        state_size=fields.whole("state_size", minimum=0),
        workspace=_limits(fields.inside("workspace")),
        homography=fields.homography(HOMOGRAPHY_KEY),
        renderer=fields.text("renderer"),
        package_version=fields.text("package_version"),
        collection=fields.inside("collection").content,
        main_view=fields.text("main_view") if fields.has("main_view") else None,
        other_views={name: _view(others.inside(name)) for name in others.content}
        if others
        else {},
    )


def _limits(fields: Fields) -> Limits:
    """Return the workspace that is written so, or what stands for one that is not known."""
    if fields.content.keys() == {"action_size"}:
        return Unlimited(fields.whole("action_size", minimum=1))
    low, high, step = fields.numbers("low"), fields.numbers("high"), fields.numbers("step")
    if not len(low) == len(high) == len(step) or not step:
        found = f"{len(low)}, {len(high)} and {len(step)} numbers"
        fields.refuse("low", "as many numbers as in `high` and `step`, one or more,", found)
    for each in range(len(step)):
        if low[each] > high[each]:
            fields.refuse(f"low[{each}]", f"at most `high[{each}]`, {high[each]},", low[each])
        if step[each] == 0:
            fields.refuse(f"step[{each}]", "what one unit of the action moves, not 0,", 0)
    return Workspace(low, high, step)


def _view(fields: Fields) -> View:
    """Return the camera that is written so."""
    return View(fields.frame_size("frame_size"), fields.homography("homography"))


def _key(name: str) -> str:
    """Return the name of a field of `DatasetInfo` in the file."""
    return HOMOGRAPHY_KEY if name == "homography" else name


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
