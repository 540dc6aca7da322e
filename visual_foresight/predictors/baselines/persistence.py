"""The persistence baseline, the floor that every model must beat: nothing moves.

It is called `still` on the command line. The smallest predictor, to imitate.
"""

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.models import Model
from visual_foresight.types import Clip, Prediction


class Persistence:
    """Repeats the last frame and the pixel maps, whatever the actions."""

    context: int = 1

    def observe(self, clip: Clip) -> Float[Tensor, "b c h w"]:
        """Return the newest frame, which is all of the carry."""
        return clip.frames[:, -1]

    def imagine(
        self,
        carry: Float[Tensor, "b c h w"],
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine that each candidate changes nothing (see `interfaces.Predictor`)."""
        num, num_steps, _ = actions.shape
        frame = widen(carry, num)
        return Prediction(
            frames=repeat(frame, "n c h w -> n f c h w", f=num_steps if decode else 0),
            pixel_maps=repeat(pixel_maps, "n p h w -> n t p h w", t=num_steps),
            lost=torch.zeros(num, num_steps, pixel_maps.shape[1]).to(pixel_maps),
            carry=frame,
            frame_size=(frame.shape[-2], frame.shape[-1]),
        )


STILL = Model(Persistence)
