"""How a predictor imagines a clip that is known to its end.

Freely from its first frames, unless it learns in another way.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor, TrainingRoller
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import map_size_of, splat_places


def first_maps(
    clip: Clip, places: Float[Tensor, "b t p 2"], context: int
) -> Float[Tensor, "b p map_h map_w"]:
    """Return the pixel maps of points (row, col) in the newest context frame."""
    height, width = clip.frames.shape[-2:]
    return splat_places(places[:, context - 1], map_size_of((height, width)), (height, width))


def beginning(clip: Clip, num_frames: int) -> Clip:
    """Return a clip's first frames, and the actions between them."""
    return Clip(
        clip.actions[:, : num_frames - 1],
        clip.frames[:, :num_frames],
        clip.states[:, :num_frames],
    )


def free_running_rollout(
    predictor: Predictor, clip: Clip, pixel_maps: Float[Tensor, "b p map_h map_w"]
) -> Prediction:
    """Imagine what follows a clip's first frames, as when it is used.

    Args:
        predictor: what imagines.
        clip: its first `context` frames are seen; of the rest, only the actions.
        pixel_maps: of the newest frame that is seen.
    """
    carry = predictor.observe(beginning(clip, predictor.context))
    return predictor.imagine(
        carry, clip.actions[:, predictor.context - 1 :], pixel_maps, decode=True
    )


def training_rollout(
    predictor: Predictor,
    clip: Clip,
    pixel_maps: Float[Tensor, "b p map_h map_w"],
    rng: torch.Generator,
    progress: float,
) -> tuple[Prediction, Float[Tensor, ""]]:
    """Imagine the same to learn from it, and return what to add to the loss (see `interfaces.TrainingRoller`)."""
    if isinstance(predictor, TrainingRoller):
        return predictor.training_rollout(clip, pixel_maps, rng, progress)
    return free_running_rollout(predictor, clip, pixel_maps), clip.frames.new_zeros(())
