"""How well a predictor foresees recorded episodes: where designated pixels go, and what frames
look like; the command.

Everything is judged per imagined step, with intervals over episodes, beside `still`, which
predicts that nothing moves.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from visual_foresight.episodes.dataset import Episodes
from visual_foresight.evaluation.prediction.aggregate import as_text, steps_of
from visual_foresight.evaluation.prediction.evaluator import Evaluation, evaluate_segments
from visual_foresight.evaluation.prediction.frame_metrics import MOVES, SIGMA, WINDOW
from visual_foresight.evaluation.prediction.perceptual import (
    FEW_CLIPS,
    Perceptual,
    find_perceptual,
    frechet_distance,
)
from visual_foresight.evaluation.prediction.segments import (
    EVERY,
    FIRST_NOW,
    KINDS,
    OBJECTS,
    Objects,
    segments_of,
)
from visual_foresight.evaluation.statistics import NUM_RESAMPLES
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import Episode, UserError

__all__ = [
    "PredictionConfig",
    "as_text",
    "evaluate_prediction",
    "figures_of",
    "evaluate_episodes",
    "evaluate_model",
]


@dataclass(frozen=True)
class PredictionConfig:
    """Which predictor to judge, on which episodes."""

    data: Path
    """Folder of episodes that the predictor was not trained on."""
    model: str = FLAGSHIP
    """A predictor's name or a checkpoint's folder."""
    horizon: int = 12
    """Actions to imagine."""
    clips: int | None = None
    """Judge so many clips at most, spread evenly over the episodes; all of them when not given."""
    objects: Objects = "moving"
    """Points on objects that count: those that move, or those that are occluded for a while and
    seen again at the end."""
    futures: int = 10
    """Futures per clip that a stochastic predictor draws: the best of them is judged, for each
    measure of frames."""
    report: Path | None = None
    """Write a page to look at, one self-contained HTML file, here."""
    weights: Path | None = None
    """Folder with the weights that LPIPS and FVD need."""
    lpips_net: Literal["alex", "vgg"] = "alex"
    """LPIPS's backbone."""

    def __post_init__(self) -> None:
        for name, value in (
            ("horizon", self.horizon),
            ("clips", self.clips),
            ("futures", self.futures),
        ):
            if value is not None and value < 1:
                raise UserError(f"--{name} is 1 or more, got {value}: raise it")


def evaluate_model(config: PredictionConfig) -> dict[str, Any]:
    """Load a predictor and episodes; return what `evaluate_prediction` says of them, "model"
    and "data"; write the report.

    Raises:
        UserError: data and model do not fit, episodes are too short, weights are damaged, the
            report cannot be written.
    """
    if config.report is not None:
        _check_writable(config.report)
    episodes = Episodes(config.data)
    info = episodes.info
    predictor = load(config.model, "cpu", info.frame_size, info.action_size, info.state_size)
    perceptual = find_perceptual(config.weights, config.lpips_net, config.horizon)
    recorded = [
        episodes[index] for index in tqdm(range(len(episodes)), "episodes", dynamic_ncols=True)
    ]
    evaluation = evaluate_episodes(predictor, recorded, config, perceptual)
    figures = {
        "model": config.model,
        "data": str(config.data),
        **figures_of(evaluation, predictor.context),
    }
    if config.report is not None:
        from visual_foresight.evaluation.report.page import write_report

        write_report(config.report, figures, predictor, evaluation, episodes.info)
        figures["report"] = str(config.report)
    return figures


def evaluate_episodes(
    predictor: Predictor,
    episodes: Sequence[Episode],
    config: PredictionConfig,
    perceptual: Perceptual,
) -> Evaluation:
    """Judge a predictor on all stretches of episodes, or as many as the configuration says, spread evenly."""
    segments = list(segments_of(episodes, predictor.context, config.horizon, config.objects))
    if not segments:
        longest = max((len(episode.actions) for episode in episodes), default=0)
        raise UserError(
            f"a horizon of {config.horizon} actions needs episodes of {FIRST_NOW + config.horizon} or more, the longest "
            f"has {longest}: ask for a shorter horizon, or give longer episodes"
        )
    if config.clips is not None and config.clips < len(segments):
        chosen = np.linspace(0, len(segments) - 1, config.clips).round().astype(int)
        segments = [segments[number] for number in chosen]
    return evaluate_segments(predictor, segments, config.futures, perceptual, config.objects)


def evaluate_prediction(
    predictor: Predictor, episodes: Sequence[Episode], horizon: int = 12
) -> dict[str, Any]:
    """Judge a predictor on episodes without LPIPS and FVD; see `figures_of` for what comes back."""
    config = PredictionConfig(data=Path(), horizon=horizon)
    return figures_of(
        evaluate_episodes(predictor, episodes, config, Perceptual()), predictor.context
    )


def figures_of(evaluation: Evaluation, context: int) -> dict[str, Any]:
    """Return the figures as plain JSON values.

    Returns:
        {"clips", "points", "protocol", "notes", "steps": {"1": {...}, "2": {...}, ...}}, and
        with I3D's weights "fvd" and "still_fvd". "points" counts the points on objects, all
        kinds are in "protocol"; a note is a sentence on a row that is left out. What could not
        be measured is absent, never 0. For each step, and for "still_" before it:

        error_px, interval_px, still_px: distance of the map's expected position from the truth,
            in frame pixels, on objects; ratio, interval_ratio: the summed error over still's.
        coverage_50, coverage_90: how often the truth is in the map's 50 and 90 % region of
            highest density.
        lost, made: share of a map's mass that the step's motion lost, or made, before it was
            normalised.
        arm, background: the same for points on the arm and the background; the latter has no
            ratio, as it never moves.
        psnr, psnr_moving, psnr_seen_again: in dB, the mean over frames, of all pixels, of those
            that move, and of those that were hidden for a while and look again as in the newest
            context frame (where `still` is right).
        ssim, ssim_moving, lpips: likewise (LPIPS of whole frames, less is better).

        "interval_" + name is the 95 % bootstrap interval over episodes of each but still's.
    """
    segments = evaluation.segments
    points = {
        kind: sum(int((segment.kinds == number).sum()) for segment in segments)
        for number, kind in enumerate(KINDS)
    }
    episodes = np.array([segment.episode for segment in segments])
    notes = list(evaluation.notes)
    figures: dict[str, Any] = {"clips": len(segments), "points": points["object"]}
    futures = evaluation.num_futures
    figures["protocol"] = {
        "context": f"{context} frames, given and not judged",
        "horizon": len(segments[0].actions),
        "clips": len(segments),
        "episodes": len(set(episodes.tolist())),
        "starts": f"frames {FIRST_NOW}, {FIRST_NOW + EVERY}, {FIRST_NOW + 2 * EVERY}, ... of an episode",
        "points": points,
        "objects": OBJECTS[evaluation.objects],
        "frame_size": list(segments[0].frames.shape[1:3]),
        "crop": "none",
        "futures": "1, free-running"
        if futures == 1
        else f"the best of {futures} per clip and measure; maps: their mean; FVD: the first",
        "moving_pixels": f"those that differ by more than {MOVES} (of 1) from the newest context frame",
        "seen_again": "pixels that moved within the horizon and do so no more: there `still` is right",
        "psnr": "mean over frames of each frame's, data range 1, equal frames 100 dB",
        "ssim": f"Gaussian window {WINDOW} x {WINDOW}, sigma {SIGMA}, only where it fits, mean over channels, data range 1",
        "intervals": f"95 %, bootstrap over episodes, {NUM_RESAMPLES} resamples",
    }
    if evaluation.features and len(segments) > 1:
        true = evaluation.features["true"]
        figures["fvd"] = frechet_distance(evaluation.features["imagined"], true)
        figures["still_fvd"] = frechet_distance(evaluation.features["still"], true)
        if len(segments) < FEW_CLIPS:
            notes.append(
                f"FVD of {len(segments)} clips, fewer than {FEW_CLIPS}, is biased upwards: compare equal numbers."
            )
    return {**figures, "notes": notes, "steps": steps_of(evaluation.measurements, episodes)}


def _check_writable(path: Path) -> None:
    """Find out before the work, not after it, that a report cannot be written."""
    if path.is_dir():
        raise UserError(
            f"the report is one file, but {path} is a folder: give a name that ends in .html"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(
            f"the report cannot be written to {path} ({error.strerror}): choose another place"
        ) from error
