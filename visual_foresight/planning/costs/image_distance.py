"""How unlike a goal image the imagined frames are."""

from dataclasses import dataclass

import torch
from einops import einsum, reduce
from jaxtyping import Float
from torch import Tensor

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.planning.costs.step_weights import step_weights
from visual_foresight.types import Goal, Prediction, UserError, to_float


@dataclass(frozen=True)
class ImageDistance:
    """Difference of imagined frames from a goal image, from 0 to 1.

    Root mean square over pixels, averaged over time.

    The plain alternative to designated pixels, and the cost of VP2 (Tian et al. 2023) for
    models without pixel maps. It sees what covers many pixels, the arm most of all. What is
    transparent in the image does not count.
    """

    goal: Goal
    """An image."""
    final_weight: float = 10.0
    """Weight of the last step; every other step has weight 1."""
    needs = frozenset({"frames"})

    def __post_init__(self) -> None:
        if not isinstance(self.goal, ImageGoal):
            raise UserError(
                "the cost 'image_distance' needs a goal image, and this goal has none: choose "
                "another cost, or another goal"
            )

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate; its frames must have been decoded."""
        assert isinstance(self.goal, ImageGoal), "see __post_init__"
        frames = prediction.frames.float()
        target = to_float(self.goal.frame).to(frames)
        num_frames = frames.shape[1]
        if not num_frames or frames.shape[2:] != target.shape:
            raise ValueError(
                f"one or more decoded frames of (channels, height, width) {tuple(target.shape)} "
                f"were expected, as the goal has, got {num_frames} of {tuple(frames.shape[2:])}"
            )
        squares = (frames - target).square()
        if self.goal.mask is None:
            difference = reduce(squares, "n t c h w -> n t", "mean").sqrt()
        else:
            counted = squares[..., torch.from_numpy(self.goal.mask).to(squares.device)]
            difference = reduce(counted, "n t c p -> n t", "mean").sqrt()
        weight = step_weights(num_frames, self.final_weight).to(frames)
        return einsum(difference, weight, "n t, t -> n")
