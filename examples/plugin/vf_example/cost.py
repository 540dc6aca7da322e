"""The cost `arrival`: how near the designated pixels come to their goals, at whatever step."""

from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import Goal, Prediction, UserError
from visual_foresight.vision.pixel_maps import grid, places_of


@dataclass(frozen=True)
class Arrival:
    """The least expected distance to the goal pixels over the imagined steps, in frame pixels.

    The cost `pixel_distance` wants the pixel to stay at the goal; here it may pass. Of several
    pixels, the mean counts.
    """

    goal: Goal
    final_weight: float = 10.0
    """Every cost is given the weight of the last step; no step has a weight here."""
    needs = frozenset({"maps"})

    def __post_init__(self) -> None:
        if not self.goal.targets:
            raise UserError(
                "the cost 'arrival' needs designated pixels and goal pixels, and this goal has "
                "none: choose another cost, or another goal"
            )

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate; maps are distributions over their cells."""
        maps = prediction.pixel_maps
        cells = grid((maps.shape[-2], maps.shape[-1]), prediction.frame_size).to(maps)
        targets = rearrange(places_of(self.goal.targets).to(maps), "p two -> p 1 1 two")
        away_px = torch.linalg.vector_norm(cells - targets, dim=-1)
        expected_px = reduce(maps * away_px, "n t p h w -> n t p", "sum")
        return reduce(expected_px, "n t p -> n t", "mean").amin(1)
