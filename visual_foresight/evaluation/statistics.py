"""Figures of series of numbers, and their intervals.

Pure functions; no env, model, frame or file. SciPy is imported where it is used: it would be a
fifth of what the page imports before it can be seen.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

NUM_RESAMPLES = 2000
"""Bootstrap resamples behind every interval."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval, 95 % unless another level was asked for."""

    value: float
    low: float
    high: float


def wilson(successes: int, count: int, level: float = 0.95) -> Interval:
    """Return a success rate and its Wilson score interval.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. It
    stays in [0, 1], and has a width also when all trials or none succeed.

    Args:
        successes: how many of `count` succeeded.
        count: trials, 1 or more.
        level: coverage.
    """
    if not 0 <= successes <= count or count == 0:
        raise ValueError(
            f"0 to {count} successes of 1 or more trials are possible, "
            f"got {successes} of {count}"
        )
    from scipy import stats

    bounds = stats.binomtest(successes, count).proportion_ci(level, method="wilson")
    return Interval(successes / count, float(bounds.low), float(bounds.high))


def bootstrap_mean(
    values: Float[np.ndarray, " n"], rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """Return a mean and its bootstrap percentile interval."""
    return bootstrap_ratio(values, np.ones(len(values)), rng, level)


def bootstrap_ratio(
    numerators: Float[np.ndarray, " n"],
    denominators: Float[np.ndarray, " n"],
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interval:
    """Return sum(numerators) / sum(denominators) and its bootstrap percentile interval.

    Both are resampled together.

    Args:
        numerators: one sum per independent group (an episode), so that what is correlated
            within a group is resampled as a whole.
        denominators: likewise; not negative, and not all 0.
        rng: decides the resamples.
        level: coverage.
    """
    return bootstrap_ratios(numerators[None], denominators[None], rng, level)[0]


def bootstrap_ratios(
    numerators: Float[np.ndarray, "m n"],
    denominators: Float[np.ndarray, "m n"],
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[Interval, ...]:
    """Return m ratios as `bootstrap_ratio` does, all on the same resamples of the n groups.

    `scipy.stats.bootstrap` finds the same intervals (a test compares them), but cannot replace
    this function: it refuses a single group, and of a resample whose denominators are all 0 it
    makes an infinity or a NaN, where we leave the resample out. Both would change intervals of
    figures that few episodes have.
    """
    count = numerators.shape[1]
    if not count or numerators.shape != denominators.shape or (denominators.sum(1) <= 0).any():
        raise ValueError(
            "groups whose denominators have a positive sum are needed, "
            f"got {numerators.shape} and {denominators.shape} values"
        )
    # How often each resample draws each group. The draws are shifted by `count` per resample,
    # so that one bincount serves all resamples.
    drawn = rng.integers(count, size=(NUM_RESAMPLES, count))
    shifted = drawn + count * np.arange(NUM_RESAMPLES)[:, None]
    times = np.bincount(shifted.ravel(), minlength=shifted.size).reshape(shifted.shape)
    times = times.astype(np.float64)
    intervals = []
    for numerator, denominator, resampled_numerator, resampled_denominator in zip(
        numerators, denominators, numerators @ times.T, denominators @ times.T, strict=True
    ):
        usable = resampled_denominator > 0
        ratios = resampled_numerator[usable] / resampled_denominator[usable]
        low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
        value = float(numerator.sum() / denominator.sum())
        intervals.append(Interval(value, float(low), float(high)))
    return tuple(intervals)


def spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Return Spearman's rank correlation; equal values share their mean rank.

    It is 0 when one side is constant, where SciPy's is a NaN.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            "two equally long series of 2 or more are needed, "
            f"got {len(first)} and {len(second)}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(
            "a rank correlation of finite numbers is needed, got a NaN or an infinity"
        )
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    from scipy import stats

    return float(stats.spearmanr(first, second).statistic)


def regret(predicted: Float[np.ndarray, " n"], true: Float[np.ndarray, " n"]) -> float:
    """Return what is lost by trusting predicted costs, as a share of the spread of true costs.

    0: the candidate predicted best is the best; 1: it is the worst. Candidates that share the
    lowest predicted cost count with their mean.
    """
    spread = float(np.ptp(true))
    if spread == 0:
        return 0.0
    chosen = true[predicted == predicted.min()].mean()
    return float((chosen - true.min()) / spread)
