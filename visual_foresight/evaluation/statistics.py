"""Figures of series of numbers, and their intervals.

Pure functions; no env, model, frame or file.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

NUM_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, count: int, level: float = 0.95) -> Interval:
    """Return a rate and its Wilson score interval.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. It
    stays in [0, 1] and has a width also when all or none succeed.

    Args:
        successes: how many of `count` succeeded.
        count: trials, 1 or more.
        level: coverage.
    """
    if not 0 <= successes <= count or count == 0:
        raise ValueError(
            f"0 to {count} successes of 1 or more trials are possible, got {successes} of {count}"
        )
    z = float(stats.norm.ppf((1 + level) / 2))
    rate = successes / count
    center = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    # At no success and at all of them one end is the rate itself, up to the last bit.
    return Interval(
        rate,
        max(min(float(center - half), rate), 0.0),
        min(max(float(center + half), rate), 1.0),
    )


def bootstrap_mean(
    values: Float[np.ndarray, " n"], rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """Return a mean and its bootstrap percentile interval."""
    return bootstrap_ratio(values, np.ones(len(values)), rng, level)


def bootstrap_ratio(
    tops: Float[np.ndarray, " n"],
    bottoms: Float[np.ndarray, " n"],
    rng: np.random.Generator,
    level: float = 0.95,
) -> Interval:
    """Return sum(tops) / sum(bottoms) and its bootstrap percentile interval, both resampled
    together.

    Args:
        tops: one sum per independent group (an episode), so that what hangs together is drawn
            together.
        bottoms: likewise; not negative, and not all 0.
        rng: decides the resamples.
        level: coverage.
    """
    return bootstrap_ratios(tops[None], bottoms[None], rng, level)[0]


def bootstrap_ratios(
    tops: Float[np.ndarray, "m n"],
    bottoms: Float[np.ndarray, "m n"],
    rng: np.random.Generator,
    level: float = 0.95,
) -> tuple[Interval, ...]:
    """Do the same for m figures of the same n groups, which are resampled together.

    Two matrix products in all.
    """
    count = tops.shape[1]
    if not count or tops.shape != bottoms.shape or (bottoms.sum(1) <= 0).any():
        raise ValueError(
            f"groups with a positive sum below are needed, got {tops.shape} and {bottoms.shape} values"
        )
    drawn = (
        rng.integers(count, size=(NUM_RESAMPLES, count))
        + count * np.arange(NUM_RESAMPLES)[:, None]
    )
    times = (
        np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float64)
    )
    intervals = []
    for top, bottom, above, below in zip(
        tops, bottoms, tops @ times.T, bottoms @ times.T, strict=True
    ):
        ratios = above[below > 0] / below[below > 0]
        low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
        intervals.append(Interval(float(top.sum() / bottom.sum()), float(low), float(high)))
    return tuple(intervals)


def spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Return Spearman's rank correlation; equal values share their mean rank.

    A constant side orders nothing: 0.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            f"two equally long series of 2 or more are needed, got {len(first)} and {len(second)}"
        )
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(
            "a rank correlation of finite numbers is needed, got a NaN or an infinity"
        )
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def regret(predicted: Float[np.ndarray, " n"], true: Float[np.ndarray, " n"]) -> float:
    """Return what is lost by trusting predicted costs, as a share of the spread of true costs.

    0: the candidate predicted best is the best; 1: it is the worst. Candidates predicted
    equally good count with their mean.
    """
    spread = float(np.ptp(true))
    if spread == 0:
        return 0.0
    chosen = true[predicted == predicted.min()].mean()
    return float((chosen - true.min()) / spread)
