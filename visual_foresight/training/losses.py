"""The loss of an imagination against what really happened."""

import math

import numpy as np
import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.rollouts import training_rollout
from visual_foresight.training.clip_sampler import Batch
from visual_foresight.training.config import TrainConfig
from visual_foresight.types import Prediction
from visual_foresight.vision.pixel_maps import expected_places

MOVING_DIFFERENCE = 0.08  # a pixel whose true colour changes more, of 1, has more weight
MAX_MOVED_PX = 4  # a point that moves farther has no more weight
FAR_PX = 3  # points that moved farther count for the error over persistence


def objective(
    predictor: Predictor, batch: Batch, config: TrainConfig, step: int
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Return the loss of a gradient step, and its parts.

    The clips are imagined as in training: see `interfaces.CustomTrainingRollout`.
    """
    places = batch.places[:, predictor.context - 1]
    seed = np.random.SeedSequence([config.seed, step]).generate_state(1)[0]
    rng = torch.Generator().manual_seed(int(seed))
    prediction, extra = training_rollout(
        predictor, batch.clip, places, rng, step / config.steps
    )
    parts = errors(prediction, batch, predictor.context, config)
    loss = parts["loss"] + extra
    return loss, {**parts, "loss": loss, "extra": extra}


def errors(
    prediction: Prediction, batch: Batch, context: int, config: TrainConfig
) -> dict[str, Float[Tensor, ""]]:
    """Return the error of what was imagined from a batch's context frames.

    Returns:
        "track_px", the error of the pixel maps (see `_track_error`); "pixels", the error of the
        frames (see `_frame_error`), where there are any; and "loss", their weighted sum.
    """
    track_loss = _track_error(prediction, batch, context)
    loss = config.track_weight * track_loss
    if not prediction.frames.shape[1]:
        return {"loss": loss, "track_px": track_loss}
    pixel_loss = _frame_error(prediction.frames, batch.clip.frames, context, config)
    return {"loss": pixel_loss + loss, "pixels": pixel_loss, "track_px": track_loss}


def _track_error(prediction: Prediction, batch: Batch, context: int) -> Float[Tensor, ""]:
    """Return the weighted mean distance, in pixels, from maps' expected places to their points.

    The weight at imagined step t is (1 + min(moved px, 4) / 2) / t. Points that move are few and
    matter most, but not alone. An error at step t has t causes, and must not outweigh those
    before it.
    """
    missed_px = map_error_px(prediction, batch, context)
    valid = batch.valid[:, context:] & batch.valid[:, context - 1 : context]
    moved_px = (batch.places[:, context:] - batch.places[:, context - 1 : context]).norm(dim=-1)
    steps = torch.arange(1, valid.shape[1] + 1, device=valid.device)[:, None]
    weight = valid * (1 + moved_px.clamp(max=MAX_MOVED_PX) / 2) / steps
    return (missed_px * weight).sum() / weight.sum().clamp(min=1e-6)


def _frame_error(
    imagined: Float[Tensor, "b t c h w"],
    frames: Float[Tensor, "b t_all c h w"],
    context: int,
    config: TrainConfig,
) -> Float[Tensor, ""]:
    """Return the weighted mean error of pixels: the Charbonnier loss, or the square.

    Pixels that truly differ from the newest context frame have more weight.
    """
    truth, newest = frames[:, context:], frames[:, context - 1 : context]
    difference = reduce((truth - newest).abs(), "b t c h w -> b t 1 h w", "max")
    weight = 1 + config.moving_weight * (difference > MOVING_DIFFERENCE)
    error = (imagined - truth).square()
    if config.pixel_loss == "absolute":
        error = (error + 1e-6).sqrt()
    return (error * weight).sum() / (3 * weight.sum())


def map_error_px(prediction: Prediction, batch: Batch, context: int) -> Float[Tensor, "b t p"]:
    """Return the distance in pixels from the expected place of each map to its point."""
    height, width = batch.clip.frames.shape[-2:]
    missed = expected_places(prediction.pixel_maps, (height, width)) - batch.places[:, context:]
    return (missed.square().sum(-1) + 1e-4).sqrt()


def error_over_persistence(prediction: Prediction, batch: Batch, context: int) -> float:
    """Return the maps' error at the last step, over that of maps that never move.

    Only points that moved by more than 3 pixels count; without any, the result is NaN.
    """
    valid = batch.valid[:, -1] & batch.valid[:, context - 1]
    persistence_px = (batch.places[:, -1] - batch.places[:, context - 1]).norm(dim=-1)
    moved = valid & (persistence_px > FAR_PX)
    if not moved.any():
        return math.nan
    missed_px = map_error_px(prediction, batch, context)[:, -1]
    return float(missed_px[moved].sum() / persistence_px[moved].sum())
