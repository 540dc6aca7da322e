"""How well a predictor imagines recorded episodes: `evaluate prediction`.

Pixel maps and frames are measured per imagined step, with intervals over episodes, beside the
persistence baseline `still`, which predicts that nothing moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.source import in_views
from visual_foresight.evaluation.prediction.aggregate import as_text, figures_per_step
from visual_foresight.evaluation.prediction.evaluator import Evaluation, evaluate_segments
from visual_foresight.evaluation.prediction.frame_metrics import MOVES, SIGMA, WINDOW
from visual_foresight.evaluation.prediction.perceptual import (
    FEW_CLIPS,
    Perceptual,
    find_perceptual,
    frechet_distance,
)
from visual_foresight.evaluation.prediction.segments import (
    FIRST_START,
    KINDS,
    OBJECTS,
    START_STRIDE,
    Objects,
    segments_of,
)
from visual_foresight.evaluation.statistics import NUM_RESAMPLES
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.checkpoints import load, views_of
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.files import require_place
from visual_foresight.types import Episode, UserError

__all__ = [
    "PredictionConfig",
    "as_text",
    "evaluate_episodes",
    "evaluate_model",
    "evaluate_prediction",
    "figures_of",
]
PROTOCOL = 1
"""Raise it when a change of this package's code changes figures: kept scores are then made anew."""


@dataclass(frozen=True)
class PredictionConfig:
    """Which predictor to evaluate, on which episodes."""

    data: Path
    """Folder of episodes that the predictor was not trained on, or a dataset of another format."""
    model: str = FLAGSHIP
    """A predictor's name or a checkpoint's folder."""
    horizon: int = 12
    """Actions to imagine."""
    clips: int | None = None
    """Clips to evaluate at most, spread evenly over the episodes; all of them when not given."""
    objects: Objects = "moving"
    """Points on objects that count: those that move, or those that are occluded for a while and
    seen again at the end."""
    futures: int = 10
    """Futures per clip that a stochastic predictor draws; each measure of frames takes the best
    of them."""
    report: Path | None = None
    """Write a report, one self-contained HTML page, to this file."""
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
    """Load a predictor and episodes, evaluate, and write the report if one is wanted.

    Returns:
        "model", "data", what `figures_of` returns, and "report" (a path) if one was written.

    Raises:
        UserError: data and model do not fit, episodes are too short, weights are damaged, the
            report cannot be written.
    """
    if config.report is not None:
        # Imported here, because the page's libraries take time and most runs write no page; and
        # before the work, so that what they lack is found out now.
        from visual_foresight.evaluation.report.page import write_report

        require_place(config.report, "the report")
    episodes = in_views(open_episodes(config.data), views_of(config.model))
    info = episodes.info
    predictor = load(
        config.model,
        "cpu",
        info.frame_size,
        info.action_size,
        info.state_size,
        views=tuple(info.views),
    )
    perceptual = find_perceptual(config.weights, config.lpips_net, config.horizon)
    recorded = [
        episodes.packed(index).unpack()
        for index in tqdm(range(len(episodes.numbers)), "episodes", dynamic_ncols=True)
    ]
    evaluation = evaluate_episodes(predictor, recorded, config, perceptual)
    figures = {
        "model": config.model,
        "data": str(config.data),
        **figures_of(evaluation, predictor.context),
    }
    if config.report is not None:
        write_report(config.report, figures, predictor, evaluation, info)
        figures["report"] = str(config.report)
    return figures


def evaluate_episodes(
    predictor: Predictor,
    episodes: Sequence[Episode],
    config: PredictionConfig,
    perceptual: Perceptual,
) -> Evaluation:
    """Evaluate a predictor on the segments of episodes.

    Args:
        predictor: what imagines.
        episodes: one or more, with true tracks, or without.
        config: which segments, and how many; model, data and report are not used.
        perceptual: the perceptual distances that can be computed here.

    Raises:
        UserError: all episodes are too short, or what is imagined is not finite.
    """
    segments = list(segments_of(episodes, predictor.context, config.horizon, config.objects))
    if not segments:
        longest = max((len(episode.actions) for episode in episodes), default=0)
        raise UserError(
            f"a horizon of {config.horizon} actions needs episodes of "
            f"{FIRST_START + config.horizon} or more, the longest has {longest}: "
            "ask for a shorter horizon, or give longer episodes"
        )
    if config.clips is not None and config.clips < len(segments):
        chosen = np.linspace(0, len(segments) - 1, config.clips).round().astype(int)
        segments = [segments[number] for number in chosen]
    evaluation = evaluate_segments(
        predictor, segments, config.futures, perceptual, config.objects
    )
    return replace(evaluation, notes=(*evaluation.notes, *_left_out(episodes, config.horizon)))


def _left_out(episodes: Sequence[Episode], horizon: int) -> list[str]:
    """Return what of the episodes does not count, in sentences."""
    notes = []
    wanted = FIRST_START + horizon
    num_short = sum(len(episode.actions) < wanted for episode in episodes)
    if num_short:
        notes.append(
            f"{num_short} of {len(episodes)} episodes are left out: they have fewer than "
            f"{wanted} actions, which a horizon of {horizon} needs."
        )
    num_unknown = sum(not np.isfinite(episode.tracks).all() for episode in episodes)
    if num_unknown:
        notes.append(
            f"In {num_unknown} of {len(episodes)} episodes, points whose true place is a NaN "
            "are left out where it is."
        )
    return notes


def evaluate_prediction(
    predictor: Predictor, episodes: Sequence[Episode], horizon: int = 12
) -> dict[str, Any]:
    """Evaluate a predictor without LPIPS and FVD, and return the figures (see `figures_of`)."""
    config = PredictionConfig(data=Path(), horizon=horizon)
    evaluation = evaluate_episodes(predictor, episodes, config, Perceptual())
    return figures_of(evaluation, predictor.context)


def figures_of(evaluation: Evaluation, context: int) -> dict[str, Any]:
    """Return the figures as plain JSON values.

    Args:
        evaluation: what was measured.
        context: how many frames the predictor was given.

    Returns:
        {"clips", "points", "protocol", "notes", "steps": {"1": {...}, "2": {...}, ...}}, and
        with I3D's weights "fvd" and "still_fvd". "points" counts the points on objects, all
        kinds are in "protocol"; a note is a sentence on a row that is left out. What could not
        be measured is absent, never 0. For each step, and of the persistence baseline with
        "still_" before it:

        error_px, interval_px, still_px: distance of the map's expected position from the truth,
            in frame pixels, on objects; ratio, interval_ratio: the summed error over the
            baseline's.
        coverage_50, coverage_90: how often the truth is in the map's 50 and 90 % region of
            highest density.
        lost, made: share of a map's mass that the step's motion lost, or made, before it was
            normalised.
        arm, background: the same for points on the arm and the background; the latter has no
            ratio, as it never moves.
        psnr, psnr_moving, psnr_seen_again: in dB, the mean over frames, of all pixels, of those
            that move, and of those that were hidden for a while and look again as in the newest
            context frame (where the baseline is right).
        ssim, ssim_moving, lpips: likewise (LPIPS of whole frames, less is better).

        "interval_" + name is the 95 % bootstrap interval over episodes of each but the
        baseline's.
    """
    segments = evaluation.segments
    episodes = np.array([segment.episode for segment in segments])
    points = {
        kind: sum(int((segment.kinds == number).sum()) for segment in segments)
        for number, kind in enumerate(KINDS)
    }
    figures: dict[str, Any] = {"clips": len(segments), "points": points["object"]}
    figures["protocol"] = _protocol(evaluation, context, points)
    notes = list(evaluation.notes)
    if evaluation.features and len(segments) > 1:
        true = evaluation.features["true"]
        figures["fvd"] = frechet_distance(evaluation.features["imagined"], true)
        figures["still_fvd"] = frechet_distance(evaluation.features["still"], true)
        if len(segments) < FEW_CLIPS:
            notes.append(
                f"FVD of {len(segments)} clips, fewer than {FEW_CLIPS}, is biased upwards: "
                "compare equal numbers."
            )
    steps = figures_per_step(evaluation.measurements, episodes)
    return {**figures, "notes": notes, "steps": steps}


def _protocol(
    evaluation: Evaluation, context: int, points: Mapping[str, int]
) -> dict[str, Any]:
    """Return how the figures were made, in words and numbers for people."""
    segments = evaluation.segments
    starts = ", ".join(str(FIRST_START + number * START_STRIDE) for number in range(3))
    futures = "1, free-running"
    if evaluation.num_futures > 1:
        futures = (
            f"the best of {evaluation.num_futures} per clip and measure; "
            "maps: their mean; FVD: the first"
        )
    return {
        "context": f"{context} frames, given and not evaluated",
        "horizon": len(segments[0].actions),
        "clips": len(segments),
        "episodes": len({segment.episode for segment in segments}),
        "starts": f"frames {starts}, ... of an episode",
        "points": dict(points),
        "objects": OBJECTS[evaluation.objects],
        "frame_size": list(segments[0].context_frames.shape[1:3]),
        "crop": "none",
        "futures": futures,
        "moving_pixels": (
            f"those that differ by more than {MOVES} (of 1) from the newest context frame"
        ),
        "seen_again": (
            "pixels that moved within the horizon and do so no more: there `still` is right"
        ),
        "psnr": "mean over frames of each frame's, data range 1, equal frames 100 dB",
        "ssim": (
            f"Gaussian window {WINDOW} x {WINDOW}, sigma {SIGMA}, only where it fits, "
            "mean over channels, data range 1"
        ),
        "intervals": f"95 %, bootstrap over episodes, {NUM_RESAMPLES} resamples",
    }
