"""The state of a run, written so that a run that is killed can be resumed."""

import dataclasses
import logging
import math
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.episodes.source import EpisodeSource, fingerprint, identity
from visual_foresight.predictors.checkpoints import load, read_config, renamed, resolve, save
from visual_foresight.predictors.registry import create, require_settings
from visual_foresight.system.devices import bfloat16_pays
from visual_foresight.system.files import write_bytes
from visual_foresight.training.config import (
    TrainConfig,
    comparable,
    differences,
    remembered,
    spoken,
)
from visual_foresight.training.curriculum import horizon_at, learning_rate_at
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
STATE_FILE = "state.pt"
LOWEST = "lowest"
"""Folder, in that of a run, of the checkpoint with the lowest loss on held-out clips so far."""
DAMAGE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
)
"""What a damaged `state.pt`, or one of another version, can raise once its bytes are read."""
LENGTH = {"steps", "minutes"}
"""Settings that say how long a run is."""


@dataclass
class TrainingState:
    """All that a run has learnt and decided so far: the content of `state.pt`."""

    model: nn.Module
    average: AveragedModel
    """Running average of the weights: what is evaluated and shipped."""
    optimizer: torch.optim.Optimizer
    bfloat16: bool
    """Whether convolutions and products are computed in bfloat16; decided when the run begins."""
    data: str
    """Fingerprint of the training episodes: of actions and states."""
    recordings: str
    """Hash of all that was recorded of them, and of what they have in common."""
    views: tuple[str, ...] = ()
    """Names of the views that the model reads; none where the data do not name theirs."""
    num_steps: int = 0
    """Gradient steps of the whole run; decided when the run begins."""
    step: int = 0
    """Gradient steps so far."""
    seconds: float = 0.0
    """Time that the gradient steps have taken so far."""
    saved_step: int = 0
    """Gradient steps of what was saved last; 0 where nothing was."""
    lowest_loss: float = math.inf
    """Lowest loss on held-out clips so far."""
    lowest_step: int = 0
    """Gradient steps of the checkpoint that had it; 0 where there is none."""

    @classmethod
    def begin(
        cls,
        config: TrainConfig,
        model: nn.Module,
        device: torch.device,
        episodes: EpisodeSource,
    ) -> "TrainingState":
        """Return the state of a new run.

        Args:
            config: of the run.
            model: that of `new_model`.
            device: where the model is trained.
            episodes: to train on, in the views that the model reads; all of them are read.
        """
        average = AveragedModel(
            model, multi_avg_fn=partial(update_average, config.ema), use_buffers=False
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
        bfloat16 = config.precision == "bfloat16"
        if config.precision == "auto":
            bfloat16 = bfloat16_pays(device)
        return cls(
            model,
            average,
            optimizer,
            bfloat16,
            fingerprint(episodes),
            identity(episodes),
            _views(episodes.info),
        )

    def adopt(self, source: str, config: TrainConfig) -> None:
        """Begin with the weights of a checkpoint.

        What a model estimates from data without gradients is not taken over.

        Raises:
            UserError: there is no such checkpoint, or it is of another model.
        """
        other = read_config(resolve(source))["predictor"]
        if other != config.predictor:
            raise UserError(
                f"the checkpoint {source} is of the predictor {other!r}, and this run trains "
                f"{config.predictor!r}: train {other!r}, or begin from another checkpoint"
            )
        mine = cast(Any, self.model).config
        loaded = cast(
            Any,
            load(
                source,
                frame_size=mine.frame_size,
                action_size=mine.action_size,
                state_size=mine.state_size,
                views=self.views or None,
            ),
        )
        for each in dataclasses.fields(mine):
            here, there = getattr(mine, each.name), getattr(loaded.config, each.name)
            if here != there and each.name != "homography":
                raise UserError(
                    f"the checkpoint {source} has the {each.name} {there}, and this run {here}: "
                    "give the same, or begin from another checkpoint"
                )
        learnt = dict(loaded.named_parameters())
        with torch.no_grad():
            for name, weights in self.model.named_parameters():
                weights.copy_(learnt[name])
        logger.info("the run begins with the weights of %s", source)

    def save(self, folder: Path, config: TrainConfig, loss: float = math.inf) -> None:
        """Write the checkpoint and `state.pt`, each atomically.

        Args:
            folder: of the run.
            config: of the run.
            loss: on held-out clips; if it is the lowest so far, the checkpoint is kept in
                `LOWEST`, too.
        """
        figures: dict[str, Any] = {
            "steps": self.step,
            "bfloat16": self.bfloat16,
            "train_seconds": round(self.seconds),
        }
        if self.views:
            figures["views"] = list(self.views)
        meta = {**comparable(config), **figures}
        save(self.average.module, folder / "checkpoint", meta)
        if loss < self.lowest_loss:
            save(self.average.module, folder / LOWEST, {**meta, "held_out_loss": loss})
            self.lowest_loss, self.lowest_step = loss, self.step
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "num_steps": self.num_steps,
            "step": self.step,
            "seconds": self.seconds,
            "bfloat16": self.bfloat16,
            "data": self.data,
            "recordings": self.recordings,
            "lowest": [self.lowest_loss, self.lowest_step],
            "config": remembered(config),
        }
        # Written from memory: torch.save raises a RuntimeError when a disk is full.
        memory = BytesIO()
        torch.save(state, memory)
        # The state comes last: a run that is killed before this line resumes from the state before.
        write_bytes(folder / STATE_FILE, memory.getvalue())
        self.saved_step = self.step

    def restore(self, folder: Path, config: TrainConfig) -> None:
        """Take over what is in `state.pt`.

        A run whose configuration has more steps now is lengthened, finished or not.

        Raises:
            UserError: it cannot be read, or is of another configuration or other episodes.
        """
        path = folder / STATE_FILE
        unreadable = UserError(
            f"{path} cannot be read, it is damaged or of another version: choose another --out "
            f"(and --from {folder / 'checkpoint'} to begin with what was learnt)"
        )
        try:
            state = torch.load(BytesIO(_content(path)), weights_only=True, map_location="cpu")
            changed = differences(config, dict(state["config"]))
            is_longer = _is_longer(config, state, changed)
        except DAMAGE as error:
            raise unreadable from error
        if changed and not is_longer:
            finish = " (it goes on with more of them alone)" if changed == ["steps"] else ""
            raise UserError(
                f"{folder} holds a run with another {', '.join(spoken(changed))}{finish}: "
                "choose another --out"
            )
        if state.get("data") != self.data:
            raise UserError(
                f"{folder} holds a run on other episodes than {config.data} has now: "
                "choose another --out"
            )
        # Runs of earlier versions do not know of what recordings they are.
        if state.get("recordings", self.recordings) != self.recordings:
            raise UserError(
                f"the recordings in {config.data} are not those that the run in {folder} began "
                "with (frames, tracks, notes or the calibration differ): choose another --out"
            )
        try:
            self.model.load_state_dict(renamed(state["model"]))
            self.average.load_state_dict(renamed(state["average"]))
            self.optimizer.load_state_dict(state["optimizer"])
            self.num_steps = state["num_steps"]
            self.step = state["step"]
            self.seconds = state["seconds"]
            self.bfloat16 = state["bfloat16"]
            # Runs of earlier versions kept none.
            self.lowest_loss, self.lowest_step = state.get("lowest", (math.inf, 0))
        except DAMAGE as error:
            raise unreadable from error
        self.saved_step = self.step
        if is_longer:
            self._lengthen(config)

    def _lengthen(self, config: TrainConfig) -> None:
        """Go on beyond the end of the run, and say what that does to the schedule."""
        planned = replace(config, steps=self.num_steps)
        logger.info(
            "the run of %d steps goes on from step %d to %d, from here on by the schedule of a run "
            "of %d: the learning rate is %.2g now instead of %.2g, and the horizon %d instead of "
            "%d",
            self.num_steps,
            self.step,
            config.steps,
            config.steps,
            learning_rate_at(self.step, config),
            learning_rate_at(self.step, planned),
            horizon_at(self.step, config),
            horizon_at(self.step, planned),
        )
        self.num_steps = config.steps


def new_model(config: TrainConfig, info: DatasetInfo, device: torch.device) -> nn.Module:
    """Return the model of a new run.

    Args:
        config: of the run.
        info: of the dataset in the views that the model reads, which decides sizes of the model.
        device: where the model is trained.

    Raises:
        UserError: it cannot be made for these data.
    """
    require_settings(config.predictor, config.model)
    known = {
        **vars(info),
        "action_size": info.action_size,
        "views": _views(info),
        **config.model_settings,
    }
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        return create(config.predictor, known).to(device)


def _views(info: DatasetInfo) -> tuple[str, ...]:
    """Return the names of the views; none where the data do not name theirs."""
    return () if info.main_view is None else tuple(info.views)


def _content(path: Path) -> bytes:
    """Return what is in the file of a run, which may be sound though it cannot be read now."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}, from which this run goes on, cannot be read ({error.strerror}): "
            "mend that, or choose another --out"
        ) from error


def _is_longer(config: TrainConfig, state: Mapping[str, Any], changed: list[str]) -> bool:
    """Tell whether a run is to be as it was, but longer."""
    is_raised = config.minutes is None and config.steps > state["num_steps"]
    return bool(changed) and LENGTH.issuperset(changed) and is_raised


def update_average(
    decay: float, averages: list[Tensor], weights: list[Tensor], count: Tensor | int
) -> None:
    """Update exponential averages of weights in place.

    After `count` updates the decay is (1 + count) / (10 + count) at most, so that the averages
    forget the initial weights.
    """
    early = (1 + int(count)) / (10 + int(count))
    get_ema_multi_avg_fn(min(decay, early))(averages, weights, count)
