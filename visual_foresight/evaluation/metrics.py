"""Figures and their intervals: pure functions of numbers; no env, model or file."""

from dataclasses import dataclass

import numpy as np
import torch
from einops import einsum, reduce
from jaxtyping import Float
from scipy import stats
from torch import Tensor

from visual_foresight.pixel_maps import centres

NUM_RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, count: int, level: float = 0.95) -> Interval:
    """Return a rate and its Wilson score interval.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927. It stays in [0, 1] and has a
    width also when all or none succeed.

    Args:
        successes: how many of `count` succeeded.
        count: trials, 1 or more.
        level: coverage.
    """
    if not 0 <= successes <= count or count == 0:
        raise ValueError(f"0 to {count} successes of 1 or more trials are possible, got {successes} of {count}")
    z = float(stats.norm.ppf((1 + level) / 2))
    rate = successes / count
    center = (rate + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    # At no success and at all of them one end is the rate itself, up to the last bit.
    return Interval(rate, max(min(float(center - half), rate), 0.0), min(max(float(center + half), rate), 1.0))


def bootstrap_mean(values: Float[np.ndarray, " n"], rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Return a mean and its bootstrap percentile interval."""
    return bootstrap_ratio(values, np.ones(len(values)), rng, level)


def bootstrap_ratio(
    tops: Float[np.ndarray, " n"], bottoms: Float[np.ndarray, " n"], rng: np.random.Generator, level: float = 0.95
) -> Interval:
    """Return sum(tops) / sum(bottoms) and its bootstrap percentile interval, both resampled together.

    Args:
        tops: one sum per independent group (an episode), so that what hangs together is drawn together.
        bottoms: likewise; not negative, and not all 0.
        rng: decides the resamples.
        level: coverage.
    """
    if len(tops) == 0 or len(tops) != len(bottoms) or bottoms.sum() <= 0:
        raise ValueError(f"groups with a positive sum below are needed, got {len(tops)} and {len(bottoms)} values")
    drawn = rng.integers(len(tops), size=(NUM_RESAMPLES, len(tops)))
    above, below = tops[drawn].sum(1), bottoms[drawn].sum(1)
    ratios = above[below > 0] / below[below > 0]
    low, high = np.quantile(ratios, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(tops.sum() / bottoms.sum()), float(low), float(high))


def psnr(predicted: Float[Tensor, "*batch c h w"], true: Float[Tensor, "*batch c h w"]) -> Float[Tensor, "*batch"]:
    """Return the peak signal-to-noise ratio of each frame in dB; frames are in [0, 1]. Equal frames give 100 dB."""
    error = reduce((predicted - true) ** 2, "... c h w -> ...", "mean")
    return -10 * torch.log10(error.clamp(min=1e-10))


def spearman(first: Float[np.ndarray, " n"], second: Float[np.ndarray, " n"]) -> float:
    """Return Spearman's rank correlation; equal values share their mean rank. A constant side orders nothing: 0."""
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"two equally long series of 2 or more are needed, got {len(first)} and {len(second)}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("a rank correlation of finite numbers is needed, got a NaN or an infinity")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(stats.spearmanr(first, second).statistic)


def regret(predicted: Float[np.ndarray, " n"], true: Float[np.ndarray, " n"]) -> float:
    """Return what is lost by trusting predicted costs, as a share of the spread of true costs.

    0: the candidate predicted best is the best; 1: it is the worst. Candidates predicted equally good count with their mean.
    """
    spread = float(np.ptp(true))
    if spread == 0:
        return 0.0
    chosen = true[predicted == predicted.min()].mean()
    return float((chosen - true.min()) / spread)


def position_error(
    pixel_maps: Float[Tensor, "*batch map_h map_w"], places: Float[Tensor, "*batch 2"], frame_size: tuple[int, int]
) -> Float[Tensor, "*batch"]:
    """Return how far, in frame pixels, the expected position of each pixel map is from the true (row, col).

    Args:
        pixel_maps: distributions on grids that cover the frame exactly, and may be coarser.
        places: (row, col) in frame pixels.
        frame_size: height and width of the frame.
    """
    map_h, map_w = pixel_maps.shape[-2:]
    rows = einsum(pixel_maps, centres(map_h, frame_size[0]).to(pixel_maps), "... h w, h -> ...")
    cols = einsum(pixel_maps, centres(map_w, frame_size[1]).to(pixel_maps), "... h w, w -> ...")
    return torch.hypot(rows - places[..., 0], cols - places[..., 1])
