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

    def designate(self, carry: Any, pixels: Float[Tensor, "b p 2"]) -> Any:
        """Let the predictor follow the pixels, on the device."""
        return self.predictor.designate(carry, pixels.to(self.device))

    def imagine(
        self, carry: Any, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine on the device; all but the carry comes back to the actions' device."""
        imagined = self.predictor.imagine(carry, actions.to(self.device), decode)
        return imagined.to(actions.device)
