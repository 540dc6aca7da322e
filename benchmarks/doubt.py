"""Whether a model knows when it does not know: `scripts/measure_doubt`.

It compares the number that the page would show of each prediction with the error that came of it,
on points of objects that move, and writes what it finds beside the model's weights.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import spearmanr

from visual_foresight.episodes.episode_files import episode_path, read_episode
from visual_foresight.episodes.info import read_info
from visual_foresight.evaluation.prediction.doubt import (
    DoubtFindings,
    doubts,
    signal_of,
    write_findings,
)
from visual_foresight.evaluation.prediction.map_metrics import position_error
from visual_foresight.evaluation.prediction.segments import (
    KINDS,
    SegmentBatch,
    batch_of,
    segments_of,
)
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.checkpoints import load, resolve
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.types import Episode, Prediction

HORIZON = 10
"""Steps ahead at which is measured, as in the cards."""
BATCH = 8
NUM_RESAMPLED = 1000
"""Sets of episodes drawn for the interval."""
SEED = 0
QUARTILE = 0.75


@torch.inference_mode()
def pairs_of(
    predictor: Predictor, episodes: Sequence[Episode]
) -> tuple[Float[np.ndarray, "n 3"], str]:
    """Return (number of the episode, doubt, error in pixels) of each point, and the signal."""
    segments = list(segments_of(episodes, predictor.context, HORIZON))
    signal = ""
    rows: list[tuple[float, float, float]] = []
    for first in range(0, len(segments), BATCH):
        some = segments[first : first + BATCH]
        batch = batch_of(some)
        carry = predictor.designate(predictor.observe(batch.context), batch.places[:, 0])
        future = predictor.imagine(carry, batch.actions)
        signal = signal_of(future)
        for number, doubt, error in _measured(future, batch):
            rows.append((some[number].episode, doubt, error))
    return np.array(rows).reshape(-1, 3), signal


def _measured(future: Prediction, batch: SegmentBatch) -> Iterator[tuple[int, float, float]]:
    """Yield (segment, doubt, error in pixels) of each point of an object, at the horizon."""
    errors = position_error(future.pixel_maps[:, -1], batch.places[:, -1], future.frame_size)
    for number in range(len(batch.kinds)):
        unsure = doubts(future, HORIZON - 1, number)
        for point in (
            (batch.kinds[number] == KINDS.index("object")).nonzero().flatten().tolist()
        ):
            yield number, float(unsure[point]), float(errors[number, point])


def findings_of(pairs: Float[np.ndarray, "n 3"], signal: str, data: str) -> DoubtFindings:
    """Compare doubts with errors (arguments as `pairs_of` returns them)."""
    numbers, doubt, error = pairs.T
    rng = np.random.default_rng(SEED)
    episodes = np.unique(numbers)
    drawn = []
    for _ in range(NUM_RESAMPLED):
        chosen = rng.choice(episodes, len(episodes))
        rows = np.concatenate([np.flatnonzero(numbers == each) for each in chosen])
        drawn.append(_correlation(doubt[rows], error[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975]).tolist()
    threshold = float(np.quantile(doubt, QUARTILE))
    is_more = doubt > threshold
    return DoubtFindings(
        signal=signal,
        correlation=round(_correlation(doubt, error), 2),
        low=round(low, 2),
        high=round(high, 2),
        threshold_px=round(threshold, 2),
        error_less_px=round(float(error[~is_more].mean()), 2),
        error_more_px=round(float(error[is_more].mean()), 2) if is_more.any() else 0.0,
        num_points=len(pairs),
        horizon=HORIZON,
        data=data,
    )


def _correlation(doubt: np.ndarray, error: np.ndarray) -> float:
    """Return the rank correlation; 0 where all doubts are the same."""
    if np.ptp(doubt) == 0 or np.ptp(error) == 0:
        return 0.0
    return float(spearmanr(doubt, error)[0])


def main(arguments: Sequence[str]) -> None:
    """Measure the models that are named, and write what is found beside their weights."""
    parser = argparse.ArgumentParser(prog="scripts/measure_doubt", description=__doc__)
    parser.add_argument("models", nargs="*", default=["rigid", "flow"])
    parser.add_argument("--data", type=Path, default=Path("data/sample"))
    options = parser.parse_args(arguments)
    info = read_info(options.data)
    paths = sorted(options.data.glob("episode_*"))
    episodes = [read_episode(episode_path(options.data, n)) for n in range(len(paths))]
    for name in options.models:
        predictor = load(
            name,
            torch.device("cpu"),
            info.frame_size,
            info.action_size,
            info.state_size,
            views=tuple(info.views),
        )
        pairs, signal = pairs_of(with_tracker(predictor), episodes)
        findings = findings_of(pairs, signal, options.data.name)
        write_findings(resolve(name), findings)
        sys.stdout.write(f"{name} {asdict(findings)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
