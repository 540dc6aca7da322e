"""How far designated pixels are from their goals, as the pixel maps expect it."""

from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from visual_foresight.planning.costs.step_weights import step_weights
from visual_foresight.types import Goal, Pixel, Prediction
from visual_foresight.vision.pixel_maps import centres


@dataclass(frozen=True)
class PixelDistance:
    """Expected distance of designated pixels to their goal pixels, in frame pixels.

    Averaged over time and over the pixels.

    Ebert et al., "Visual Foresight", 2018, section V-B: C = sum_t w_t E[|d_t - g|] / sum_t w_t
    with w = 1 except for the last step. They sum over designated pixels, we average, so that
    the cost keeps its unit.
    """

    goal: Goal
    final_weight: float = 10.0
    """Weight of the last step; every other step has weight 1."""

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate, whatever the grid of its pixel maps."""
        maps = prediction.pixel_maps.float()
        _, num_steps, num_pixels, map_height, map_width = maps.shape
        if num_pixels != len(self.goal.targets) or num_steps == 0:
            raise ValueError(
                f"got {num_pixels} pixel maps over {num_steps} steps, one or more steps of "
                f"{len(self.goal.targets)} (one per goal pixel) were expected"
            )
        map_size = (map_height, map_width)
        distance = torch.stack(
            [_distance(map_size, prediction.frame_size, target) for target in self.goal.targets]
        )
        weight = step_weights(num_steps, self.final_weight) / num_pixels
        return einsum(maps, distance.to(maps), weight.to(maps), "n t p h w, p h w, t -> n")


def _distance(
    map_size: tuple[int, int], frame_size: tuple[int, int], target: Pixel
) -> Float[Tensor, "map_h map_w"]:
    """Return the distance of every cell's centre to the target, in frame pixels."""
    rows = centres(map_size[0], frame_size[0]) - target.row
    cols = centres(map_size[1], frame_size[1]) - target.col
    return torch.hypot(rows[:, None], cols[None, :])
