"""A run: what has been learnt so far, written so that it can be killed at any moment and gone on with."""

import pickle
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.predictors.checkpoints import renamed, save
from visual_foresight.predictors.registry import create
from visual_foresight.system.devices import bfloat16_pays
from visual_foresight.system.files import write_bytes
from visual_foresight.training.config import TrainConfig, comparable
from visual_foresight.types import UserError

STATE_FILE = "state.pt"


@dataclass
class TrainingState:
    """What a run has come to; all of it is in `state.pt`."""

    model: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    bfloat16: bool
    """Whether convolutions and products are computed in bfloat16; decided once, when the run
    begins."""
    data: str
    """Fingerprint of the episodes that are learnt from."""
    num_steps: int = 0
    """Gradient steps that it takes in all; decided once, when the run begins."""
    step: int = 0
    seconds: float = 0.0

    @classmethod
    def begin(
        cls, config: TrainConfig, info: DatasetInfo, device: torch.device, data: str
    ) -> "TrainingState":
        """Return a run that has learnt nothing yet; `data` is the fingerprint of its episodes."""
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            known = {**vars(info), "action_size": info.action_size, "member": config.member}
            model = create(config.predictor, known).to(device)
        average = AveragedModel(
            model, multi_avg_fn=partial(_average, config.ema), use_buffers=False
        )
        bfloat16 = config.precision == "bfloat16" or (
            config.precision == "auto" and bfloat16_pays(device)
        )
        return cls(
            model,
            average,
            torch.optim.Adam(model.parameters(), lr=config.learning_rate),
            bfloat16,
            data,
        )

    def save(self, folder: Path, config: TrainConfig) -> None:
        """Write state and checkpoint; each file is whole or not there."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "num_steps": self.num_steps,
            "step": self.step,
            "seconds": self.seconds,
            "bfloat16": self.bfloat16,
            "data": self.data,
            "config": comparable(config),
        }
        result = {
            "steps": self.step,
            "bfloat16": self.bfloat16,
            "train_seconds": round(self.seconds),
        }
        save(self.average.module, folder / "checkpoint", {**comparable(config), **result})
        whole = BytesIO()  # torch.save says RuntimeError when a disk is full
        torch.save(state, whole)
        write_bytes(
            folder / STATE_FILE, whole.getvalue()
        )  # last: a run that is killed before goes on from the one before

    def restore(self, folder: Path, config: TrainConfig) -> None:
        """Go on from `state.pt`; it must come from the same configuration and the same episodes."""
        unreadable = f"{folder / STATE_FILE} cannot be read, or is of another version: delete the folder to start anew"
        try:
            state = torch.load(folder / STATE_FILE, weights_only=True, map_location="cpu")
            mine, its = comparable(config), dict(state["config"])
        except (
            pickle.UnpicklingError,
            RuntimeError,
            OSError,
            EOFError,
            ValueError,
            KeyError,
            TypeError,
        ) as error:
            raise UserError(unreadable) from error
        if changed := sorted(
            name for name in mine.keys() | its.keys() if mine.get(name) != its.get(name)
        ):
            raise UserError(
                f"{folder} holds a run with another {', '.join(changed)}: choose another --out"
            )
        if state.get("data") != self.data:
            raise UserError(
                f"{folder} holds a run on other episodes than {config.data} has now: choose another --out"
            )
        try:
            self.model.load_state_dict(renamed(state["model"]))
            self.average.load_state_dict(renamed(state["average"]))
            self.optimizer.load_state_dict(state["optimizer"])
            for name in ("num_steps", "step", "seconds", "bfloat16"):
                setattr(self, name, state[name])
        except (RuntimeError, KeyError, ValueError) as error:
            raise UserError(unreadable) from error


def _average(
    decay: float, averages: list[Tensor], now: list[Tensor], count: Tensor | int
) -> None:
    """Move averages after `count` updates.

    Over a tenth of them at most, so that they forget how they began.
    """
    get_ema_multi_avg_fn(min(decay, (1 + int(count)) / (10 + int(count))))(averages, now, count)
