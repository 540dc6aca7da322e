"""The two ways of rolling a predictor out over a clip whose future is known.

The *free-running* rollout is how a predictor is used: it sees the context frames, and then only
the actions; every later step starts from its own imagination. Evaluation and planning use it.

The *training* rollout is what gradients are taken of. It is the free-running one, so that a
predictor learns from its own mistakes (no teacher forcing, no scheduled sampling), unless the
predictor has its own (`interfaces.CustomTrainingRollout`): then it may see what it is to predict,
leave frames out, and add an auxiliary loss.

Both take the whole clip, and the places of points in the newest context frame.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import CustomTrainingRollout, Predictor
from visual_foresight.types import Clip, Prediction


def free_running_rollout(
    predictor: Predictor, clip: Clip, places: Float[Tensor, "b p 2"]
) -> Prediction:
    """Imagine what follows a clip's context frames, as when the predictor is used.

    Args:
        predictor: what imagines.
        clip: its first `context` frames are seen; of the rest, only the actions.
        places: (row, col) of the points to follow, in the newest context frame.
    """
    carry = predictor.observe(beginning(clip, predictor.context))
    carry = predictor.designate(carry, places)
    actions = clip.actions[:, predictor.context - 1 :]
    return predictor.imagine(carry, actions, decode=True)


def training_rollout(
    predictor: Predictor,
    clip: Clip,
    places: Float[Tensor, "b p 2"],
    rng: torch.Generator,
    progress: float,
) -> tuple[Prediction, Float[Tensor, ""]]:
    """Imagine what follows a clip's context frames, to learn from it.

    Args, and what is returned, are those of `interfaces.CustomTrainingRollout`; the auxiliary
    loss of a predictor without a training rollout of its own is 0.
    """
    if isinstance(predictor, CustomTrainingRollout):
        return predictor.training_rollout(clip, places, rng, progress)
    no_auxiliary_loss = clip.frames.new_zeros(())
    return free_running_rollout(predictor, clip, places), no_auxiliary_loss


def beginning(clip: Clip, num_frames: int) -> Clip:
    """Return a clip's first frames, and the actions between them."""
    return clip.oldest(num_frames)
