"""The schedule of a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from visual_foresight.training.config import TrainConfig
from visual_foresight.training.curriculum import (
    Phase,
    batch_at,
    curriculum,
    horizon_at,
    learning_rate_at,
)
from visual_foresight.types import UserError

PLAN = TrainConfig(Path(), Path(), steps=100, horizon=12, batch=16, single=0.6)


def test_the_horizon_grows_in_phases() -> None:
    assert curriculum(PLAN) == [Phase(60, 1), Phase(80, 3), Phase(90, 6), Phase(100, 12)]


def test_shorter_clips_come_in_larger_batches() -> None:
    steps = (0, 59, 60, 79, 80, 89, 90, 99)
    assert [horizon_at(step, PLAN) for step in steps] == [1, 1, 3, 3, 6, 6, 12, 12]
    assert [batch_at(step, PLAN) for step in steps] == [192, 192, 64, 64, 32, 32, 16, 16]
    alone = replace(PLAN, single=1.0)
    never = replace(PLAN, single=0.0)
    assert {horizon_at(step, alone) for step in range(100)} == {1}
    assert [horizon_at(step, never) for step in (0, 49, 50, 75)] == [3, 3, 6, 12]
    with pytest.raises(UserError, match="--single 1.5"):
        replace(PLAN, single=1.5)


def test_the_learning_rate_falls_to_a_twentieth_along_a_cosine() -> None:
    rates = [learning_rate_at(step, PLAN) for step in range(101)]
    assert rates[0] == PLAN.learning_rate
    assert rates[50] == pytest.approx(PLAN.learning_rate * (0.05 + 0.95 / 2))
    assert rates[100] == pytest.approx(PLAN.learning_rate / 20)
    assert rates == sorted(rates, reverse=True)
