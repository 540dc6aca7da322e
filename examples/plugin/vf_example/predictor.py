"""The predictor `nudge`: a small network sees frame and action, and says where each place moves.

It knows nothing of finger, disc or camera, and learns in a minute. Pixels are moved by optical
flow, as in Finn, Goodfellow, Levine, "Unsupervised Learning for Physical Interaction through Video
Prediction", 2016, but without masks and without kernels.
"""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.conv import normal_, tile
from visual_foresight.predictors.layers.warping import sample, warp
from visual_foresight.predictors.models import Model, Recipe
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import first_maps

CELL_PX = 2  # side of the squares that the network sees, and moves


@dataclass(frozen=True)
class NudgeConfig:
    """Shape of the network and of what it sees. The first three fields follow from the data."""

    frame_size: tuple[int, int] = (64, 64)
    action_size: int = 2
    state_size: int = 2
    channels: int = 16
    """Channels of every layer."""


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    frame: Float[Tensor, "b 3 h w"]
    """The newest one, seen or imagined."""
    places: Float[Tensor, "_b p 2"]
    """(row, col) in it of the pixels that are followed."""


class Nudge(nn.Module):
    """p(o_{t+1} | o_t, a_t): an `interfaces.Learner`."""

    context = 1

    def __init__(self, config: NudgeConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.channels
        layers: list[nn.Module] = [nn.Conv2d(3 + config.action_size, channels, 3, padding=1)]
        for dilation in (2, 4, 8):  # in the end, a cell sees 15 cells in each direction
            layers += [nn.ReLU(), nn.Conv2d(channels, channels, 3, 1, dilation, dilation)]
        self.features = nn.Sequential(*layers, nn.ReLU())
        # backward (down, right), then forward; small, so that nothing moves before it has learnt
        self.flows = normal_(nn.Conv2d(channels, 4, 1), std=0.01)

    def calibrate(self, clip: Clip) -> None:
        """Estimate nothing: all of it is learnt by gradients."""

    def observe(self, clip: Clip) -> Carry:
        """Remember the newest frame."""
        return Carry(clip.frames[:, -1], clip.frames.new_zeros(1, 0, 2))

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow these pixels, and no others."""
        return replace(carry, places=pixels)

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Move frame and places, action by action (see `interfaces.Predictor`)."""
        frame = widen(carry.frame, len(actions))
        places = widen(carry.places, len(actions))
        size = self.config.frame_size
        frames, all_places = [], []
        for action in actions.unbind(1):
            backward, forward = self._flows(frame, action)
            frame = warp(frame, backward, size)
            moved = sample(forward, rearrange(places, "n p two -> n p 1 two"), size)
            places = places + rearrange(moved, "n two p 1 -> n p two")
            frames.append(frame)
            all_places.append(places)
        maps = first_maps(torch.stack(all_places, 1), size)
        return Prediction(
            frames=torch.stack(frames, 1)
            if decode
            else frame.new_zeros(len(frame), 0, 3, *size),
            pixel_maps=maps,
            lost=maps.new_zeros(maps.shape[:3]),  # a place has no mass to lose
            carry=Carry(frame, places),
            frame_size=size,
        )

    def _flows(
        self, frame: Float[Tensor, "n 3 h w"], action: Float[Tensor, "n a"]
    ) -> tuple[Float[Tensor, "n 2 h w"], Float[Tensor, "n 2 h w"]]:
        """Return where each place of the next frame comes from, and where each of this goes."""
        cells = functional.avg_pool2d(frame, CELL_PX)
        command = tile(action, (cells.shape[-2], cells.shape[-1]))
        flows = self.flows(self.features(torch.cat([cells, command], 1)))
        wide = functional.interpolate(flows, self.config.frame_size, mode="bilinear")
        return wide[:, :2], wide[:, 2:]


NUDGE = Model(
    Nudge,
    NudgeConfig,
    Recipe(
        steps=600,
        batch=8,
        horizon=6,
        pixel_loss="squared",
        moving_weight=2,
        track_weight=0.002,  # frames and points count alike then
        teacher="patches",
    ),
)
