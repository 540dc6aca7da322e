"""The persistence baseline, the floor that every model must beat: nothing moves.

It is called `still` on the command line. The smallest predictor, to imitate.
"""

from dataclasses import dataclass, replace

from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.models import Model
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import first_maps, places_of


@dataclass(frozen=True)
class Carry:
    """The newest frame and the pixel maps in it; each is of one scene, or of each candidate's."""

    frame: Float[Tensor, "b c h w"]
    maps: Float[Tensor, "_b p map_h map_w"]


class Persistence:
    """Repeats the last frame and the pixel maps, whatever the actions."""

    context: int = 1

    def observe(self, clip: Clip) -> Carry:
        """Return the newest frame, in which nothing is followed yet."""
        frame = clip.frames[:, -1]
        no_maps = first_maps(places_of(()), clip.frame_size).to(frame)
        return Carry(frame, no_maps[None])

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow these pixels (see `interfaces.Predictor`)."""
        size = (carry.frame.shape[-2], carry.frame.shape[-1])
        return replace(carry, maps=first_maps(pixels, size).to(carry.frame))

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine that each candidate changes nothing (see `interfaces.Predictor`)."""
        num, num_steps, _ = actions.shape
        frame = widen(carry.frame, num)
        maps = widen(carry.maps, num)
        return Prediction(
            frames=repeat(frame, "n c h w -> n f c h w", f=num_steps if decode else 0),
            pixel_maps=repeat(maps, "n p h w -> n t p h w", t=num_steps),
            lost=maps.new_zeros(num, num_steps, maps.shape[1]),
            carry=Carry(frame, maps),
            frame_size=(frame.shape[-2], frame.shape[-1]),
        )


STILL = Model(Persistence)
