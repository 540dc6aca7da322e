"""A predictor on another device than its caller: what it is given goes there, and what it
imagines comes back.

So that planning, judging and drawing need not know that there is a GPU.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor
from visual_foresight.types import Clip, Prediction


class OnDevice:
    """Any predictor whose weights are on that device."""

    def __init__(self, predictor: Predictor, device: torch.device) -> None:
        self.predictor, self.device = predictor, device
        self.context = predictor.context

    def observe(self, clip: Clip) -> Any:
        """Let the predictor look (see `interfaces.Predictor`); its carry stays there."""
        return self.predictor.observe(clip.to(self.device))

    def imagine(
        self,
        carry: Any,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine there (see `interfaces.Predictor`)."""
        imagined = self.predictor.imagine(
            carry, actions.to(self.device), pixel_maps.to(self.device), decode
        )
        return imagined.to(pixel_maps.device)
