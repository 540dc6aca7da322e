"""Imagine segments of episodes, and measure frames and pixel maps against the truth."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Bool, Float
from torch import Tensor
from tqdm import tqdm

from visual_foresight.evaluation.prediction.aggregate import (
    Measurement,
    Measurements,
    concatenate,
)
from visual_foresight.evaluation.prediction.frame_metrics import (
    check_ssim,
    inner,
    moving,
    psnr,
    seen_again,
    ssim,
)
from visual_foresight.evaluation.prediction.map_metrics import coverage, position_error
from visual_foresight.evaluation.prediction.perceptual import Perceptual
from visual_foresight.evaluation.prediction.segments import (
    KINDS,
    Objects,
    Segment,
    SegmentBatch,
    batch_of,
)
from visual_foresight.interfaces import FramesOnly, Predictor, Sampler
from visual_foresight.types import Prediction, UserError

LEVELS = {"coverage_50": 0.5, "coverage_90": 0.9}
"""Name of a figure -> level of the region whose coverage it is."""
BATCH = 16
"""Segments that are imagined at once."""
Features = Mapping[str, Float[np.ndarray, "b d"]]
"""FVD's features of the videos "imagined", "true" and "still"."""


class Weighted(NamedTuple):
    """Values, and how much each counts (see `Measurement`)."""

    values: Float[Tensor, "b t"]
    weights: Float[Tensor, "b t"]


class FrameMeasure(NamedTuple):
    """A measure of imagined frames."""

    name: str
    of: Callable[[Tensor], Tensor]
    """Frames b t c h w -> values b t."""
    weights: Float[Tensor, "b t"]
    sign: int
    """1 when more is better, -1 when less is."""


@dataclass(frozen=True)
class Evaluation:
    """What was measured on each segment."""

    segments: tuple[Segment, ...]
    measurements: Measurements
    features: Features
    """Empty where FVD cannot be computed."""
    num_futures: int
    """Futures imagined per segment; 1 unless the predictor is a `Sampler`."""
    objects: Objects
    """Which points on objects count."""
    notes: tuple[str, ...]
    """A sentence for each row that is left out."""


@torch.inference_mode()
def evaluate_segments(
    predictor: Predictor,
    segments: Sequence[Segment],
    num_futures: int,
    perceptual: Perceptual,
    objects: Objects = "moving",
) -> Evaluation:
    """Imagine all segments, free-running from their context, and measure.

    Args:
        predictor: a `FramesOnly` one (p = 0) is evaluated by its frames alone.
        segments: one or more, made for the predictor's context.
        num_futures: how many samples a `Sampler` draws per segment.
        perceptual: the perceptual distances that can be computed here.
        objects: which points on objects the segments were made with.

    Raises:
        UserError: the frames are too small for SSIM, or what is imagined is not finite.
    """
    height, width = segments[0].context_frames.shape[1:3]
    check_ssim((height, width))
    if isinstance(predictor, Sampler):
        predictor = predictor.resampled(num_futures)
        draws = True
    else:
        num_futures = 1
        draws = False
    parts: list[Measurements] = []
    features: list[Features] = []
    with tqdm(
        total=len(segments), desc="clips", smoothing=0.05, dynamic_ncols=True
    ) as progress:
        for first in range(0, len(segments), BATCH):
            batch = batch_of(segments[first : first + BATCH])
            future = imagine(predictor, batch)
            samples = [member.frames for member in future.members] if draws else [future.frames]
            parts.append(_measure(future, samples, batch, perceptual))
            if perceptual.features is not None:
                features.append(_features(perceptual.features, samples[0], batch))
            progress.update(len(batch.actions))
    return Evaluation(
        segments=tuple(segments),
        measurements=concatenate(parts),
        features=_concatenate_features(features),
        num_futures=num_futures,
        objects=objects,
        notes=(*perceptual.notes, *_notes(predictor, segments)),
    )


def _notes(predictor: Predictor, segments: Sequence[Segment]) -> list[str]:
    """Return a sentence on figures of pixels that are left out, if any are."""
    if isinstance(predictor, FramesOnly):
        return [
            "Figures of pixels are left out: this predictor imagines frames only, and moves no "
            "pixel maps."
        ]
    if not any(segment.kinds[0] == 0 for segment in segments):
        return [
            "Figures of objects' pixels are left out: there are no such points in these clips."
        ]
    return []


def imagine(predictor: Predictor, batch: SegmentBatch) -> Prediction:
    """Imagine a batch, with frames, and with pixel maps unless the predictor is `FramesOnly`.

    Raises:
        UserError: what is imagined is not finite.
    """
    carry = predictor.observe(batch.context)
    if not isinstance(predictor, FramesOnly):
        carry = predictor.designate(carry, batch.places[:, 0])
    future = predictor.imagine(carry, batch.actions, decode=True)
    if not (torch.isfinite(future.frames).all() and torch.isfinite(future.pixel_maps).all()):
        raise UserError(
            "the predictor imagines frames or pixel maps that are not finite: train it again"
        )
    return future


def _measure(
    future: Prediction,
    samples: Sequence[Float[Tensor, "b t c h w"]],
    batch: SegmentBatch,
    perceptual: Perceptual,
) -> dict[str, Measurement]:
    """Measure what was imagined of a batch; `samples` are its futures' frames, one or more."""
    clamped = [frames.float().clamp(0, 1) for frames in samples]
    found = _measure_frames(clamped, batch, perceptual)
    if future.pixel_maps.shape[2]:
        found |= _measure_maps(future.pixel_maps.float(), future.lost.float(), batch)
    return {
        name: Measurement(each.values.double().numpy(), each.weights.double().numpy())
        for name, each in found.items()
    }


def _measure_frames(
    samples: Sequence[Float[Tensor, "b t c h w"]], batch: SegmentBatch, perceptual: Perceptual
) -> dict[str, Weighted]:
    """Measure frames, and those of the persistence baseline beside them.

    Of several samples, each measure takes a segment's best one.
    """
    true = batch.future
    baseline = _baseline(batch)
    found = {}
    for measure in _frame_measures(batch, perceptual):
        weights = measure.weights
        values = torch.stack([measure.of(frames) for frames in samples]) * weights
        best = (measure.sign * values.sum(-1)).argmax(0)
        found[measure.name] = Weighted(values[best, torch.arange(len(true))], weights)
        found[f"still_{measure.name}"] = Weighted(measure.of(baseline) * weights, weights)
    return found


def _frame_measures(batch: SegmentBatch, perceptual: Perceptual) -> list[FrameMeasure]:
    """Return the measures of frames against a batch's true future."""
    true = batch.future
    moves = moving(true, batch.newest)
    again = seen_again(moves)
    every = torch.ones(true.shape[:2])
    measures = [
        FrameMeasure("psnr", lambda frames: psnr(frames, true), every, 1),
        FrameMeasure("psnr_moving", lambda frames: psnr(frames, true, moves), _any(moves), 1),
        FrameMeasure(
            "psnr_seen_again", lambda frames: psnr(frames, true, again), _any(again), 1
        ),
        FrameMeasure("ssim", lambda frames: ssim(frames, true), every, 1),
        FrameMeasure(
            "ssim_moving", lambda frames: ssim(frames, true, moves), _any(inner(moves)), 1
        ),
    ]
    distance = perceptual.lpips
    if distance is not None:
        measures.append(FrameMeasure("lpips", lambda frames: distance(frames, true), every, -1))
    return measures


def _any(pixels: Bool[Tensor, "b t h w"]) -> Float[Tensor, "b t"]:
    """Return 1 for each frame that has such a pixel, and 0 for each other."""
    return reduce(pixels.float(), "b t h w -> b t", "max")


def _baseline(batch: SegmentBatch) -> Float[Tensor, "b t c h w"]:
    """Return the frames of the persistence baseline: the newest context frame, repeated."""
    return repeat(batch.newest, "b c h w -> b t c h w", t=batch.future.shape[1])


def _measure_maps(
    maps: Float[Tensor, "b t p map_h map_w"], lost: Float[Tensor, "b t p"], batch: SegmentBatch
) -> dict[str, Weighted]:
    """Measure pixel maps, summed over the points of a kind.

    Figures of objects come first, then "arm." and "background." before the name.
    """
    size = (batch.newest.shape[-2], batch.newest.shape[-1])
    places = batch.places[:, 1:]
    covered = coverage(maps, places, size, tuple(LEVELS.values()))
    of_points = {
        "error_px": position_error(maps, places, size),
        "still_px": torch.linalg.vector_norm(places - batch.places[:, :1], dim=-1),
        **dict(zip(LEVELS, covered, strict=True)),
        "lost": lost.clamp(min=0),
        "made": (-lost).clamp(min=0),
    }
    found: dict[str, Weighted] = {}
    for number, kind in enumerate(KINDS):
        real = rearrange(batch.kinds == number, "b p -> b 1 p").float().expand_as(lost)
        count = real.sum(-1)
        sums = {
            name: reduce(values * real, "b t p -> b t", "sum")
            for name, values in of_points.items()
        }
        prefix = "" if kind == "object" else f"{kind}."
        for name, values in sums.items():
            found[prefix + name] = Weighted(values, count)
        if kind != "background":  # it never moves: the baseline has no error there
            found[f"{prefix}ratio"] = Weighted(sums["error_px"], sums["still_px"])
    return found


def _features(
    features: Callable[[Tensor], Tensor],
    imagined: Float[Tensor, "b t c h w"],
    batch: SegmentBatch,
) -> Features:
    """Return FVD's features of a batch's videos."""
    videos = {"imagined": imagined.float(), "true": batch.future, "still": _baseline(batch)}
    return {name: features(frames).double().numpy() for name, frames in videos.items()}


def _concatenate_features(parts: Sequence[Features]) -> Features:
    """Join the features of several batches; none, if there are no parts."""
    if not parts:
        return {}
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
