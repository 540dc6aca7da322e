"""Known answers for the figures, and SciPy's where it has them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from visual_foresight.evaluation.statistics import (
    bootstrap_mean,
    bootstrap_ratio,
    bootstrap_ratios,
    regret,
    spearman,
    wilson,
)


def test_wilson_of_a_textbook() -> None:
    rate = wilson(8, 10)  # the usual worked example
    assert rate.value == pytest.approx(0.8)
    assert rate.low == pytest.approx(0.4901625, abs=1e-6)
    assert rate.high == pytest.approx(0.9433178, abs=1e-6)


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
    assert mean.low == pytest.approx(values.mean() - half, abs=0.03)
    assert mean.high == pytest.approx(values.mean() + half, abs=0.03)


def test_the_bootstrap_is_that_of_scipy_where_scipy_has_one() -> None:
    rng = np.random.default_rng(4)
    numerators = rng.random(30)
    denominators = rng.random(30)

    def ratio(above: np.ndarray, below: np.ndarray, axis: int) -> np.ndarray:
        return above.sum(axis) / below.sum(axis)

    theirs = stats.bootstrap(
        (numerators, denominators),
        ratio,
        paired=True,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = bootstrap_ratio(numerators, denominators, np.random.default_rng(0))
    assert ours.low == pytest.approx(theirs.low, rel=1e-12)
    assert ours.high == pytest.approx(theirs.high, rel=1e-12)


def test_a_ratio_of_proportional_sums_is_certain() -> None:
    denominators = np.array([1.0, 3.0, 0.0, 7.0])
    ratio = bootstrap_ratio(denominators / 2, denominators, np.random.default_rng(0))
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    with pytest.raises(ValueError, match="positive sum"):
        bootstrap_ratio(denominators, np.zeros(4), np.random.default_rng(0))


def test_a_resample_without_a_denominator_is_left_out_and_one_group_is_certain() -> None:
    rare = bootstrap_ratio(np.array([2.0, 0.0]), np.array([4.0, 0.0]), np.random.default_rng(0))
    assert (rare.value, rare.low, rare.high) == pytest.approx((0.5, 0.5, 0.5))
    alone = bootstrap_mean(np.array([3.0]), np.random.default_rng(0))
    assert (alone.value, alone.low, alone.high) == pytest.approx((3, 3, 3))


def test_many_ratios_are_resampled_together_as_each_alone() -> None:
    rng = np.random.default_rng(5)
    numerators = rng.random((3, 20))
    denominators = rng.random((3, 20))
    together = bootstrap_ratios(numerators, denominators, np.random.default_rng(0))
    for number, found in enumerate(together):
        alone = bootstrap_ratio(
            numerators[number], denominators[number], np.random.default_rng(0)
        )
        assert found.value == pytest.approx(alone.value)
        assert found.low == pytest.approx(alone.low)
        assert found.high == pytest.approx(alone.high)


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
