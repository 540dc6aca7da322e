"""A predictor on another device than its caller.

Planning, evaluation and drawing need not know that there is a GPU.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor
from visual_foresight.types import Clip, Prediction


class OnDevice:
    """Moves inputs to the device of a predictor's weights, and what is imagined back."""

    def __init__(self, predictor: Predictor, device: torch.device) -> None:
        self.predictor = predictor
        self.device = device
        self.context = predictor.context

    def observe(self, clip: Clip) -> Any:
        """Return the predictor's carry, which stays on the device."""
        return self.predictor.observe(clip.to(self.device))

    def imagine(
        self,
        carry: Any,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine on the device; the prediction, but for its carry, comes to the maps' device."""
        imagined = self.predictor.imagine(
            carry, actions.to(self.device), pixel_maps.to(self.device), decode
        )
        return imagined.to(pixel_maps.device)
