"""Known answers for the figures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_foresight.evaluation.statistics import (
    bootstrap_mean,
    bootstrap_ratio,
    bootstrap_ratios,
    regret,
    spearman,
    wilson,
)


def test_wilson_of_a_textbook() -> None:
    rate = wilson(8, 10)  # 0.4901625, 0.9433178: the usual worked example
    assert (rate.value, rate.low, rate.high) == pytest.approx(
        (0.8, 0.4901625, 0.9433178), abs=1e-6
    )


@given(st.integers(1, 200), st.data())
def test_wilson_stays_in_bounds_and_has_a_width(count: int, data: st.DataObject) -> None:
    rate = wilson(data.draw(st.integers(0, count)), count)
    assert 0 <= rate.low <= rate.value <= rate.high <= 1
    assert rate.high - rate.low > 0.01


def test_wilson_refuses_the_impossible() -> None:
    with pytest.raises(ValueError, match="4 of 3"):
        wilson(4, 3)
    with pytest.raises(ValueError, match="0 of 0"):
        wilson(0, 0)


def test_the_bootstrap_agrees_with_the_normal_interval() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 400)
    mean = bootstrap_mean(values, np.random.default_rng(0))
    half = 1.96 * values.std() / 20
    assert mean.value == pytest.approx(values.mean())
    assert (mean.low, mean.high) == pytest.approx(
        (values.mean() - half, values.mean() + half), abs=0.03
    )


def test_a_ratio_of_proportional_sums_is_certain() -> None:
    below = np.array([1.0, 3.0, 0.0, 7.0])
    ratio = bootstrap_ratio(below / 2, below, np.random.default_rng(0))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="positive sum"):
        bootstrap_ratio(below, np.zeros(4), np.random.default_rng(0))


def test_many_ratios_are_resampled_together_as_each_alone() -> None:
    rng = np.random.default_rng(5)
    tops, bottoms = rng.random((3, 20)), rng.random((3, 20))
    together = bootstrap_ratios(tops, bottoms, np.random.default_rng(0))
    alone = [
        bootstrap_ratio(top, bottom, np.random.default_rng(0))
        for top, bottom in zip(tops, bottoms, strict=True)
    ]
    for one, other in zip(together, alone, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx(
            (other.value, other.low, other.high)
        )


def test_spearman_sees_order_only() -> None:
    values = np.array([0.3, 1.0, 2.0, 9.0])
    assert spearman(values, np.exp(values)) == pytest.approx(1)
    assert spearman(values, -(values**3)) == pytest.approx(-1)
    # 1 - 6 * 4 / (4 * 15)
    assert spearman(np.array([1.0, 2, 3, 4]), np.array([2.0, 1, 4, 3])) == pytest.approx(0.6)
    assert spearman(np.ones(4), values) == 0
    with pytest.raises(ValueError, match="NaN"):
        spearman(np.array([np.nan, 1.0]), np.array([0.0, 1.0]))


def test_regret_is_a_share_of_the_spread() -> None:
    true = np.array([4.0, 2.0, 3.0, 6.0])
    assert regret(np.array([5.0, 1.0, 2.0, 9.0]), true) == 0
    assert regret(np.array([5.0, 4.0, 2.0, 9.0]), true) == pytest.approx(0.25)
    assert regret(np.array([9.0, 9.0, 9.0, 1.0]), true) == 1
    assert regret(np.zeros(4), true) == pytest.approx((true.mean() - 2) / 4)
