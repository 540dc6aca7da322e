"""Short runs of a small model, and what is in their folders."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from visual_foresight.predictors.checkpoints import load
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.curriculum import learning_rate_at
from visual_foresight.training.state import STATE_FILE


def config(data: Path, out: Path, **changes: Any) -> TrainConfig:
    short = TrainConfig(
        data,
        out,
        predictor="dna",
        steps=6,
        batch=2,
        horizon=2,
        every=3,
        device="cpu",
        precision="float32",
        model={"channels": 4},
        points=out.parent / "points",
    )
    return replace(short, **changes)


def weights(out: Path) -> dict[str, torch.Tensor]:
    return load(out / "checkpoint").state_dict()  # type: ignore[attr-defined]


def same(one: Path, other: Path) -> bool:
    mine, theirs = weights(one), weights(other)
    return all(torch.equal(value, theirs[name]) for name, value in mine.items())


def state_of(out: Path) -> dict[str, Any]:
    return torch.load(out / STATE_FILE, weights_only=True)


def called(before: Any) -> Any:
    """Return the learning rate, and call something first."""

    def rate(step: int, config: TrainConfig) -> float:
        before()
        return learning_rate_at(step, config)

    return rate
