"""The schedule of a run: which horizon, how many clips, and which learning rate at which step."""

import math
from dataclasses import dataclass
from itertools import accumulate

from visual_foresight.training.config import TrainConfig

GROWTH = ((1 / 2, 1 / 4), (1 / 4, 1 / 2), (1 / 4, 1.0))
"""Phases after the one with single steps: share of the remaining training, share of the horizon."""

FINAL_LEARNING_RATE = 0.05  # of that at the start


@dataclass(frozen=True)
class Phase:
    """A part of the training with the same horizon."""

    end: int
    """The gradient step before which it ends."""
    horizon: int
    """Steps that are imagined."""


def curriculum(config: TrainConfig) -> list[Phase]:
    """Return the phases of a run, in their order."""
    shares = [config.single, *((1 - config.single) * share for share, _ in GROWTH)]
    ends = accumulate(shares)
    parts = [0.0, *(part for _, part in GROWTH)]
    return [
        Phase(round(end * config.steps), max(1, round(part * config.horizon)))
        for share, end, part in zip(shares, ends, parts, strict=True)
        if share > 0
    ]


def horizon_at(step: int, config: TrainConfig) -> int:
    """Return how many steps are imagined in a gradient step."""
    phases = curriculum(config)
    return next((phase.horizon for phase in phases if step < phase.end), phases[-1].horizon)


def batch_at(step: int, config: TrainConfig) -> int:
    """Return how many clips a gradient step learns from: all imagine about as many frames."""
    return config.batch * max(1, config.horizon // horizon_at(step, config))


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """Return the learning rate of a gradient step, which falls along a cosine."""
    cosine = 1 + math.cos(math.pi * step / config.steps)
    falling = (1 - FINAL_LEARNING_RATE) * 0.5 * cosine
    return config.learning_rate * (FINAL_LEARNING_RATE + falling)
