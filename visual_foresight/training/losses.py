"""What is wrong with an imagination: free-running, against what happened."""

import numpy as np
import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.rollouts import first_maps, training_rollout
from visual_foresight.training.clip_sampler import Batch
from visual_foresight.training.config import TrainConfig
from visual_foresight.types import Prediction
from visual_foresight.vision.pixel_maps import expected_places


def objective(
    predictor: Predictor, batch: Batch, config: TrainConfig, step: int
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Return the loss of gradient step `step`, imagined as in learning (see `interfaces.CustomTrainingRollout`), and its parts."""
    maps = first_maps(batch.clip, batch.places, predictor.context)
    rng = torch.Generator().manual_seed(
        int(np.random.SeedSequence([config.seed, step]).generate_state(1)[0])
    )
    prediction, extra = training_rollout(predictor, batch.clip, maps, rng, step / config.steps)
    parts = errors(prediction, batch, predictor.context, config)
    parts = {**parts, "loss": parts["loss"] + extra, "extra": extra}
    return parts["loss"], parts


def errors(
    prediction: Prediction, batch: Batch, context: int, config: TrainConfig
) -> dict[str, Float[Tensor, ""]]:
    """Return what is wrong with the imagination of a batch's clips from their context: "loss",
    and its parts.

    Frames, where there are any: see `_frame_error`. Pixel maps: the distance in pixels from a
    map's expected position to where the point was followed to, a mean with weights (1 +
    min(moved px, 4) / 2) / t at step t.
    """
    missed_px = map_error_px(prediction, batch, context)
    valid = batch.valid[:, context:] & batch.valid[:, context - 1 : context]
    moved_px = (batch.places[:, context:] - batch.places[:, context - 1 : context]).norm(dim=-1)
    # Points that move are few and matter most, but not alone; an error at step t has t causes,
    # and must not drown those before.
    steps = torch.arange(1, valid.shape[1] + 1, device=valid.device)[:, None]
    attention = valid * (1 + moved_px.clamp(max=4) / 2) / steps
    track_loss = (missed_px * attention).sum() / attention.sum().clamp(min=1e-6)
    loss = config.track_weight * track_loss
    if not prediction.frames.shape[1]:
        return {"loss": loss, "track_px": track_loss}
    pixel_loss = _frame_error(prediction.frames, batch.clip.frames, context, config)
    return {"loss": pixel_loss + loss, "pixels": pixel_loss, "track_px": track_loss}


def _frame_error(
    imagined: Float[Tensor, "b t c h w"],
    frames: Float[Tensor, "b t_all c h w"],
    context: int,
    config: TrainConfig,
) -> Float[Tensor, ""]:
    """Return the mean error, Charbonnier's or squared, weighted on pixels whose truth differs from the newest context frame."""
    truth, newest = frames[:, context:], frames[:, context - 1 : context]
    moving = reduce((truth - newest).abs(), "b t c h w -> b t 1 h w", "max") > 0.08
    weight = 1 + config.moving_weight * moving
    wrong = (imagined - truth).square()
    if config.pixel_loss == "absolute":
        wrong = (wrong + 1e-6).sqrt()
    return (wrong * weight).sum() / (3 * weight.sum())


def map_error_px(prediction: Prediction, batch: Batch, context: int) -> Float[Tensor, "b t p"]:
    """Return how far the expected position of each map is from where its point was followed to, in pixels."""
    height, width = batch.clip.frames.shape[-2:]
    missed = expected_places(prediction.pixel_maps, (height, width)) - batch.places[:, context:]
    return (missed.square().sum(-1) + 1e-4).sqrt()


def error_over_persistence(
    prediction: Prediction, batch: Batch, context: int
) -> dict[str, float]:
    """Return the error at the last step on points that moved, over that of a map that never moves."""
    valid = batch.valid[:, -1] & batch.valid[:, context - 1]
    persistence_px = (batch.places[:, -1] - batch.places[:, context - 1]).norm(dim=-1)
    moved = valid & (persistence_px > 3)
    missed_px = map_error_px(prediction, batch, context)[:, -1]
    return {
        "error_over_still": float(missed_px[moved].sum() / persistence_px[moved].sum())
        if moved.any()
        else float("nan")
    }
