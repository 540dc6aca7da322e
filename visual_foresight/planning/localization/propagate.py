"""Predictor propagation: the pixel is where the executed action was imagined to bring it."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import Clip, Pixel
from visual_foresight.vision.pixel_maps import expected, mode


@dataclass(frozen=True)
class Propagate:
    """The pixel is where the action was imagined to bring it. It remembers where it was before.

    "Predictor propagation" in Ebert et al., "Visual Foresight", 2018, section VI: 20 % success on
    long pushes there.
    """

    summary: Literal["mean", "mode"] = "mean"
    """Which place a pixel map stands for: its expected position, or its likeliest cell."""

    def begin(
        self, clip: Clip, sources: tuple[Pixel, ...]
    ) -> tuple[tuple[Pixel, ...], tuple[Pixel, ...]]:
        """Return the designated pixels (see `interfaces.Locator`)."""
        return sources, sources

    def locate(
        self,
        memory: tuple[Pixel, ...],
        clip: Clip,
        imagined: Float[Tensor, "p map_h map_w"],
    ) -> tuple[tuple[Pixel, ...], tuple[Pixel, ...]]:
        """Return where the maps say, or the places before where nothing was imagined."""
        if len(imagined) != len(memory):
            return memory, memory
        summary = expected if self.summary == "mean" else mode
        places = summary(imagined, clip.frame_size) if memory else ()
        return places, places
