"""The one fake of a predictor that reads several views: a still frame, lighter by what others show.

It is a learned one, so that it can be trained, saved and loaded.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from visual_foresight.predictors.models import Model
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import first_maps


@dataclass(frozen=True)
class TwoViewsConfig:
    """Sizes and views of the data."""

    frame_size: tuple[int, int] = (64, 64)
    action_size: int = 2
    state_size: int = 4
    views: tuple[str, ...] = ("front", "side")


@dataclass(frozen=True)
class TwoViewsCarry:
    """What is imagined next, "b c h w", the mean of the other views, "b", and pixels "b p 2"."""

    frame: Tensor
    shown_beside: Tensor
    pixels: Tensor


class TwoViews(nn.Module):
    """Imagines the newest frame, plus a share (0 at first) of the other views' mean brightness."""

    context = 2

    def __init__(self, config: TwoViewsConfig) -> None:
        super().__init__()
        self.config = config
        self.share = nn.Parameter(torch.zeros(()))

    def calibrate(self, clip: Clip) -> None:
        """Nothing is estimated."""

    def observe(self, clip: Clip) -> TwoViewsCarry:
        assert clip.frames.shape[1] == self.context
        others = [clip.other_views[name] for name in self.config.views[1:]]
        assert all(other.shape == clip.frames.shape for other in others)
        shown = sum((other[:, -1].mean((1, 2, 3)) for other in others), torch.zeros(1))
        frame = clip.frames[:, -1]
        return TwoViewsCarry(frame, shown.expand(len(frame)), frame.new_zeros(1, 0, 2))

    def designate(self, carry: TwoViewsCarry, pixels: Tensor) -> TwoViewsCarry:
        return replace(carry, pixels=pixels)

    def imagine(self, carry: Any, actions: Tensor, decode: bool = False) -> Prediction:
        num, num_steps, _ = actions.shape
        height, width = carry.frame.shape[-2:]
        light = self.share * carry.shown_beside[:, None, None, None]
        frames = (carry.frame + light)[:, None].expand(num, num_steps, -1, -1, -1)
        places = carry.pixels[:, None].expand(num, num_steps, -1, -1)
        return Prediction(
            frames=frames if decode else frames[:, :0],
            pixel_maps=first_maps(places, (height, width)),
            lost=torch.zeros(places.shape[:3]),
            carry=carry,
            frame_size=(height, width),
        )


TWO_VIEWS = Model(TwoViews, TwoViewsConfig)
