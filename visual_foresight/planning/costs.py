"""How bad an imagined future is. The goal is bound at construction; lower is better."""

from dataclasses import dataclass

import torch
from einops import einsum, reduce
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Cost
from visual_foresight.types import ImageGoal, Pixel, PixelGoal, Prediction, UserError, to_float
from visual_foresight.vision.pixel_maps import centres


@dataclass(frozen=True)
class PixelDistance:
    """Expected distance of each designated pixel to its goal pixel, in frame pixels, averaged over time and pixels.

    Ebert et al., "Visual Foresight", 2018, section V-B: C = sum_t w_t E[|d_t - g|] / sum_t w_t with w = 1 except for the
    last step. They sum over designated pixels, we average, so that the cost keeps its unit.
    """

    goal: PixelGoal
    final_weight: float = 10.0
    """Weight of the last step; every other step has weight 1."""

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate, whatever the grid of its pixel maps."""
        maps = prediction.pixel_maps.float()
        _, num_steps, num_pixels, *map_size = maps.shape
        if num_pixels != len(self.goal.targets) or num_steps == 0:
            raise ValueError(
                f"{num_pixels} pixel maps over {num_steps} steps came, one or more steps of "
                f"{len(self.goal.targets)} (one per goal pixel) were expected"
            )
        frame_height, frame_width = prediction.frames.shape[-2:]
        distance = torch.stack(
            [_distance((map_size[0], map_size[1]), (frame_height, frame_width), target) for target in self.goal.targets]
        )
        weight = _step_weights(num_steps, self.final_weight) / num_pixels
        return einsum(maps, distance.to(maps), weight.to(maps), "n t p h w, p h w, t -> n")


@dataclass(frozen=True)
class ImageDistance:
    """Difference of imagined frames from a goal image: root mean square over pixels, averaged over time; from 0 to 1.

    The plain alternative to designated pixels, and the cost of VP2 (Tian et al. 2023) for models without pixel maps. It sees
    what covers many pixels, the arm most of all.
    """

    goal: ImageGoal
    final_weight: float = 10.0
    """Weight of the last step; every other step has weight 1."""

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate; its frames must have been decoded."""
        frames = prediction.frames.float()
        target = to_float(self.goal.frame).to(frames)
        if not frames.shape[1] or frames.shape[2:] != target.shape:
            raise ValueError(
                f"one or more decoded frames of (channels, height, width) {tuple(target.shape)} were expected, as the goal "
                f"has, got {frames.shape[1]} of {tuple(frames.shape[2:])}"
            )
        difference = reduce((frames - target).square(), "n t c h w -> n t", "mean").sqrt()
        return einsum(difference, _step_weights(frames.shape[1], self.final_weight).to(frames), "n t, t -> n")


@dataclass(frozen=True)
class Cautious:
    """Mean cost of a prediction's members, plus a weight times their disagreement: the standard deviation of their costs.

    Ebert's planners add 0.1 times the variance over four models; the deviation keeps the cost's unit. A negative weight seeks
    what is uncertain.
    """

    cost: Cost
    weight: float

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate."""
        if len(prediction.members) < 2:
            raise UserError(
                "disagreement needs two members or more, and this predictor imagines one future: choose an ensemble, a "
                "stochastic predictor with several samples, or a disagreement weight of 0"
            )
        costs = torch.stack([self.cost(member) for member in prediction.members])
        return costs.mean(0) + self.weight * costs.std(0, correction=0)


def _step_weights(num_steps: int, final_weight: float) -> Float[Tensor, " {num_steps}"]:
    """Return weights of steps with sum 1, all alike but for the last."""
    weight = torch.ones(num_steps)
    weight[-1] = final_weight
    return weight / weight.sum()


def _distance(map_size: tuple[int, int], frame_size: tuple[int, int], target: Pixel) -> Float[Tensor, "map_h map_w"]:
    """Return the distance of every cell's centre to the target, in frame pixels."""
    rows = centres(map_size[0], frame_size[0]) - target.row
    cols = centres(map_size[1], frame_size[1]) - target.col
    return torch.hypot(rows[:, None], cols[None, :])
