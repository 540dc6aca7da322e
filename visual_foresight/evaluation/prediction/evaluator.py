"""Imagine stretches of episodes and measure, clip by clip and step by step, how right the frames and the pixel maps are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from visual_foresight.evaluation.prediction.aggregate import Measurement, Measurements, joined
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
BATCH = 16
Features = Mapping[str, Float[np.ndarray, "b d"]]


@dataclass(frozen=True)
class Evaluation:
    """What was measured on each clip."""

    segments: tuple[Segment, ...]
    measurements: Measurements
    features: Features
    """FVD's features of the videos "imagined", "true" and "still"; empty where it cannot be
    computed."""
    num_futures: int
    """Futures imagined per clip; 1 unless the predictor draws them."""
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
    """Imagine all windows, free-running from their context, and measure.

    Args:
        predictor: a `FramesOnly` one (p = 0) is judged by its frames alone.
        windows: one or more, made for the predictor's context.
        num_futures: how many samples a `Sampler` draws per clip.
        perceptual: the distances that can be computed here.
        objects: which points on objects the windows were made with.

    Raises:
        UserError: the frames are too small for SSIM, or what is imagined is not finite.
    """
    first = batch_of(segments[:1])
    check_ssim((first.newest.shape[-2], first.newest.shape[-1]))
    draws = isinstance(predictor, Sampler)
    if isinstance(predictor, Sampler):
        predictor = predictor.resampled(num_futures)
    parts: list[Measurements] = []
    features: list[Features] = []
    with tqdm(
        total=len(segments), desc="clips", smoothing=0.05, dynamic_ncols=True
    ) as progress:
        for start in range(0, len(segments), BATCH):
            batch = batch_of(segments[start : start + BATCH])
            future = imagine(predictor, batch)
            samples = [member.frames for member in future.members] if draws else [future.frames]
            parts.append(_measure(future, samples, batch, perceptual))
            if perceptual.features is not None:
                features.append(_features(perceptual.features, samples[0], batch))
            progress.update(len(batch.actions))
    gathered = {
        name: np.concatenate([part[name] for part in features])
        for name in (features[0] if features else ())
    }
    notes = [*perceptual.notes]
    if isinstance(predictor, FramesOnly):
        notes.append(
            "What is said of pixels is left out: this predictor imagines frames only, and moves no pixel maps."
        )
    elif not any(segment.kinds[0] == 0 for segment in segments):
        notes.append(
            "What is said of objects' pixels is left out: there are no such points in these clips."
        )
    return Evaluation(
        tuple(segments),
        joined(parts),
        gathered,
        num_futures if draws else 1,
        objects,
        tuple(notes),
    )


def imagine(predictor: Predictor, batch: SegmentBatch) -> Prediction:
    """Return what is imagined of a batch, with frames, and with pixel maps unless the predictor cannot move them."""
    maps = batch.maps[:, :0] if isinstance(predictor, FramesOnly) else batch.maps
    future = predictor.imagine(
        predictor.observe(batch.context), batch.actions, maps, decode=True
    )
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
    found = _measure_frames(
        [frames.float().clamp(0, 1) for frames in samples], batch, perceptual
    )
    if future.pixel_maps.shape[2]:
        found |= _measure_maps(future.pixel_maps.float(), future.lost.float(), batch)
    return {
        name: Measurement(values.double().numpy(), weights.double().numpy())
        for name, (values, weights) in found.items()
    }


def _measure_frames(
    samples: Sequence[Float[Tensor, "b t c h w"]], batch: SegmentBatch, perceptual: Perceptual
) -> dict[str, tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]]:
    """Return values and weights per clip and step.

    Of several samples, for each measure, those of a clip's best one.
    """
    true, where = batch.future, moving(batch.future, batch.newest)
    still = repeat(batch.newest, "b c h w -> b t c h w", t=true.shape[1])
    every = torch.ones(true.shape[:2])
    again = seen_again(where)
    some, inside, reappearing = (
        reduce(part.float(), "b t h w -> b t", "max") for part in (where, inner(where), again)
    )
    measures: list[tuple[str, Callable[[Tensor], Tensor], Tensor, int]] = [
        ("psnr", lambda frames: psnr(frames, true), every, 1),
        ("psnr_moving", lambda frames: psnr(frames, true, where), some, 1),
        ("psnr_seen_again", lambda frames: psnr(frames, true, again), reappearing, 1),
        ("ssim", lambda frames: ssim(frames, true), every, 1),
        ("ssim_moving", lambda frames: ssim(frames, true, where), inside, 1),
    ]
    if (distance := perceptual.lpips) is not None:
        measures.append(("lpips", lambda frames: distance(frames, true), every, -1))
    found = {}
    for name, measure, weights, sign in measures:
        values = torch.stack([measure(frames) for frames in samples]) * weights
        best = (sign * values.sum(-1)).argmax(0)
        found[name] = (values[best, torch.arange(len(best))], weights)
        found[f"still_{name}"] = (measure(still) * weights, weights)
    return found


def _measure_maps(
    maps: Float[Tensor, "b t p map_h map_w"], lost: Float[Tensor, "b t p"], batch: SegmentBatch
) -> dict[str, tuple[Float[Tensor, "b t"], Float[Tensor, "b t"]]]:
    """Return values and weights per clip and step, summed over the points of a kind.

    Objects first, then "arm." and so on.
    """
    size = (batch.newest.shape[-2], batch.newest.shape[-1])
    places = batch.places[:, 1:]
    each = {
        "error_px": position_error(maps, places, size),
        "still_px": torch.linalg.vector_norm(places - batch.places[:, :1], dim=-1),
        **dict(zip(LEVELS, coverage(maps, places, size, tuple(LEVELS.values())), strict=True)),
        "lost": lost.clamp(min=0),
        "made": (-lost).clamp(min=0),
    }
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for number, kind in enumerate(KINDS):
        real = rearrange(batch.kinds == number, "b p -> b 1 p").float().expand_as(lost)
        sums = {
            name: reduce(values * real, "b t p -> b t", "sum") for name, values in each.items()
        }
        prefix = "" if kind == "object" else f"{kind}."
        found |= {prefix + name: (values, real.sum(-1)) for name, values in sums.items()}
        if kind != "background":  # it never moves: `still` has no error there
            found[f"{prefix}ratio"] = (sums["error_px"], sums["still_px"])
    return found


def _features(
    features: Callable[[Tensor], Tensor],
    imagined: Float[Tensor, "b t c h w"],
    batch: SegmentBatch,
) -> Features:
    still = repeat(batch.newest, "b c h w -> b t c h w", t=batch.future.shape[1])
    videos = {"imagined": imagined.float(), "true": batch.future, "still": still}
    return {name: features(frames).double().numpy() for name, frames in videos.items()}
