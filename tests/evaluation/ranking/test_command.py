"""Ranking: the truth ranks perfectly, its opposite in reverse; a bank follows from its seed."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.dot_model import DotModel
from visual_foresight.evaluation.ranking.command import RankingConfig, rank_candidates
from visual_foresight.evaluation.ranking.contact_states import (
    MOVES_M,
    BankJob,
    ContactState,
    find_contact_state,
    load_bank,
)
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.types import UserError

SIZE = (16, 20)


def contact(seed: int, num: int = 6, horizon: int = 3) -> ContactState:
    rng = np.random.default_rng(seed)
    candidates = rng.uniform(-1, 1, (num, horizon, 2)).astype(np.float32)
    return ContactState(
        frames=np.zeros((3, *SIZE, 3), np.uint8),
        states=np.zeros((3, 4), np.float32),
        actions=np.zeros((2, 2), np.float32),
        source=np.array([8, 10], np.float32),
        target=np.array([1, 10], np.float32),
        candidates=candidates,
        places=(np.array([8, 10]) + candidates.cumsum(1)).astype(np.float32),
    )


def test_the_truth_ranks_perfectly_and_its_opposite_does_not() -> None:
    bank = [contact(seed) for seed in range(4)]
    right = rank_candidates(DotModel(1.0), bank)
    wrong = rank_candidates(DotModel(-1.0), bank)
    assert right["spearman"] == pytest.approx(1, abs=0.02)
    assert right["regret"] == pytest.approx(0, abs=1e-6)
    assert wrong["spearman"] < -0.8 and wrong["regret"] > 0.8
    assert right["interval_spearman"][0] <= right["spearman"] <= right["interval_spearman"][1]
    assert (right["states"], right["candidates"]) == (4, 6)


def test_the_persistence_baseline_ranks_nothing_and_regrets_as_much_as_chance() -> None:
    figures = rank_candidates(Persistence(), [contact(seed) for seed in range(4)])
    assert figures["spearman"] == 0
    assert figures["regret"] == pytest.approx(figures["random_regret"], abs=1e-6)


def test_too_short_a_context_is_named() -> None:
    predictor = Persistence()
    predictor.context = 5
    with pytest.raises(UserError, match="3 frames of context, the predictor wants 5"):
        rank_candidates(predictor, [contact(0)])


def test_a_contact_state_is_found_and_is_a_function_of_its_seed(tmp_path: Path) -> None:
    jobs = [BankJob(seed=3, index=0, candidates=5, horizon=6)]
    (found,) = load_bank(jobs, tmp_path, 1)
    (read,) = load_bank(jobs, tmp_path, 1)
    again = find_contact_state(jobs[0])
    for field in fields(ContactState):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(read, field.name))
        np.testing.assert_array_equal(getattr(found, field.name), getattr(again, field.name))
    assert found.candidates.shape == (5, 6, 2) and found.places.shape == (5, 6, 2)
    assert np.abs(found.candidates).max() <= 1 + 1e-6
    moved_px = np.linalg.norm(found.places[:, -1] - found.source, axis=-1)
    # 0.75 cm a pixel, half of it for the slanted view
    assert moved_px.max() > MOVES_M / 0.0075 / 2
    for damaged in (b"PK damaged", b""):
        next(tmp_path.glob("bank_*.npz")).write_bytes(damaged)
        with pytest.raises(UserError, match="delete it"):
            load_bank(jobs, tmp_path, 1)


def test_bad_settings_are_named() -> None:
    with pytest.raises(UserError, match="2 candidates"):
        RankingConfig(candidates=1)
    with pytest.raises(UserError, match="a seed is a whole number"):
        RankingConfig(seed=-1)
