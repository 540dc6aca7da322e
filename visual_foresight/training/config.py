"""The configuration of a training run: what to learn from, what, and how."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from visual_foresight.predictors.checkpoints import resolve
from visual_foresight.predictors.models import Recipe, refuse_negative
from visual_foresight.predictors.registry import FLAGSHIP, SHIPPED
from visual_foresight.system.files import expanded
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import UserError

SINCE = {"model": {}, "teacher": "rigid_tracks"}
"""Settings that runs of earlier versions do not name, and what these runs did."""


@dataclass(frozen=True)
class RunConfig:
    """What every run needs to know, whatever it trains."""

    data: Path
    """Folder of episodes (see `visual-foresight collect`), or a dataset of another format that is
    installed."""
    out: Path
    """Folder of the run; a run that is there already is resumed."""
    minutes: float | None = field(default=None, kw_only=True)
    """Instead of the recipe's steps: as many as this machine takes in so many minutes, measured
    when the run begins."""
    views: str = field(default="", kw_only=True)
    """Names of views of the data with commas, such as side: the first one gives the frames, and a
    model that reads several has the others, too; by default as they are stored."""
    begin_from: str | None = field(default=None, kw_only=True, metadata={"flag": "from"})
    """A checkpoint's folder, or the name of a shipped one, whose weights a new run begins with;
    what is estimated from data (the empty table, the robot's dynamics) is estimated anew."""
    points: Path = field(default=Path("runs/points"), kw_only=True)
    """Folder where points that were followed through episodes are kept for later runs."""
    held_out_share: float = field(default=0.05, kw_only=True)
    """Share of the episodes that is evaluated on and not learnt from."""
    device: str = field(default="auto", kw_only=True)
    """auto, cpu, mps, cuda, or one of several GPUs: cuda:1."""
    precision: Literal["auto", "float32", "bfloat16"] = field(default="auto", kw_only=True)
    """Of convolutions and matrix products; auto measures, when a run begins, whether bfloat16 is
    faster on this machine."""
    seed: int = field(default=0, kw_only=True)
    """Decides the initial weights and the batches."""

    def __post_init__(self) -> None:
        if self.minutes is not None and self.minutes <= 0:
            raise UserError(
                f"a run takes minutes more than 0, got {self.minutes:g}: raise them"
            )
        require_seed(self.seed)
        refuse_negative(minutes=self.minutes or 0)


@dataclass(frozen=True)
class TrainConfig(Recipe, RunConfig):
    """A whole run: what to learn from, what to learn, and how."""

    predictor: str = field(default=FLAGSHIP, kw_only=True)
    """Name of a learned predictor."""
    member: str = field(default="flow", kw_only=True)
    """Name of the learned predictor that an ensemble is made of."""
    model: Mapping[str, Any] = field(
        default_factory=dict, kw_only=True, metadata={"is_flag": False}
    )
    """Settings of the model that differ from its defaults, by the names of the fields of its
    configuration."""

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        Recipe.__post_init__(self)

    @property
    def model_settings(self) -> dict[str, Any]:
        """Return what the run decides of the model; the rest follows from the data."""
        return {"member": self.member, **self.model}


def comparable(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that a run must have in common with the one that it resumes.

    Paths and the device may change; the precision is decided when a run begins. The values are
    those that JSON gives back.
    """
    free = ("data", "out", "points", "device", "precision")
    settings = {name: value for name, value in asdict(config).items() if name not in free}
    settings["member"] = settings["model"].pop("member", config.member)
    if not config.views:  # there are runs from before there was a choice
        del settings["views"]
    if config.begin_from is None:  # likewise
        del settings["begin_from"]
    return json.loads(json.dumps(settings))


def remembered(config: TrainConfig) -> dict[str, Any]:
    """Return what `comparable` does, with a checkpoint by its whole path.

    It is then the same one from whatever folder the run is gone on with.
    """
    settings = comparable(config)
    source = config.begin_from
    if source is not None and source not in SHIPPED:
        settings["begin_from"] = str(_place(source))
    return settings


def differences(config: TrainConfig, earlier: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings in which a run differs from one that it is to resume.

    How often a run is saved changes nothing that is learnt, and neither do the recipe's steps
    where minutes are given instead. A checkpoint may be named by another path.

    Args:
        config: of the run.
        earlier: what `remembered` returned, in this version or an earlier one.
    """
    free = {"every"} if config.minutes is None else {"every", "steps"}
    here = comparable(config)
    there = {**SINCE, **earlier}
    if _is_same_checkpoint(here.get("begin_from"), there.get("begin_from")):
        free.add("begin_from")
    names = (here.keys() | there.keys()) - free
    return sorted(name for name in names if here.get(name) != there.get(name))


def spoken(settings: Sequence[str]) -> list[str]:
    """Return the names of settings as the command line calls them."""
    flags = {
        each.name: f"--{each.metadata['flag']}"
        for each in fields(TrainConfig)
        if "flag" in each.metadata
    }
    return [flags.get(name, name) for name in settings]


def _is_same_checkpoint(one: str | None, other: str | None) -> bool:
    """Tell whether two names or paths lead to the same checkpoint, which may be gone by now."""
    if one is None or other is None:
        return one is other
    return one == other or _place(one) == _place(other)


def _place(checkpoint: str) -> Path:
    try:
        return resolve(checkpoint).resolve()
    except UserError:
        return expanded(Path(checkpoint)).resolve()
