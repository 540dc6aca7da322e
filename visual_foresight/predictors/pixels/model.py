"""A model that draws every frame anew; it moves no pixels, so it plans for goal images alone.

A small deterministic relative of SVG' (Villegas et al. 2019): a convolutional LSTM between
encoder and decoder, whose skips come from the newest context frame. Deviations: the context is
encoded once, and only the memory rolls on (SVG' encodes each frame that it imagined), so that a
rollout whose frames are not asked for is not decoded; no latent variable; a thousandth of the size.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.conv import ConvLSTM, doubling, tile
from visual_foresight.predictors.layers.robot_dynamics import RobotDynamics
from visual_foresight.predictors.models import COARSEST_PX, Model, Recipe, require_multiples
from visual_foresight.types import Clip, Prediction, UserError
from visual_foresight.vision.pixel_maps import map_size_of


@dataclass(frozen=True)
class PixelsConfig:
    """Shape of the network and of what it sees."""

    frame_size: tuple[int, int] = (64, 64)
    """Height and width in pixels; the network sees them padded to multiples of 8."""
    action_size: int = 2
    state_size: int = 4
    channels: int = 16
    """Channels at half the frame's side; twice as many at a quarter, four times in the memory."""


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    memory: Float[Tensor, "b z h8 w8"]
    state: Float[Tensor, "b s"]
    half: Float[Tensor, "b z2 h2 w2"]
    """Features of the newest context frame at half its side, for the decoder."""
    quarter: Float[Tensor, "b z4 h4 w4"]
    """The same at a quarter of its side."""


class Pixels(nn.Module):
    """p(o_{t+1} | o_{t-1:t}, s_t, a_t) by drawing pixels."""

    context = 2
    frames_only: Literal[True] = True

    def __init__(self, config: PixelsConfig) -> None:
        super().__init__()
        require_multiples(config.frame_size)
        self.config = config
        self.robot = RobotDynamics(config.action_size, config.state_size)
        one = config.channels
        two = 2 * config.channels
        four = 4 * config.channels
        self.to_half = nn.Conv2d(3, one, 5, stride=2, padding=2)
        self.to_quarter = nn.Conv2d(one, two, 3, stride=2, padding=1)
        self.to_code = nn.Conv2d(two, four, 3, stride=2, padding=1)
        self.begin = nn.Conv2d(2 * four, 2 * four, 1)
        self.trunk = nn.Conv2d(
            four + config.action_size + config.state_size, four, 3, padding=1
        )
        self.cell = ConvLSTM(four, four)
        self.from_code = doubling(four, two)
        self.from_quarter = nn.Sequential(
            nn.Conv2d(2 * two, two, 3, padding=1), nn.ReLU(), doubling(two, one)
        )
        self.from_half = nn.Sequential(
            nn.Conv2d(2 * one, two, 3, padding=1), nn.ReLU(), doubling(two, 3)
        )

    def calibrate(self, clip: Clip) -> None:
        """Estimate how actions move the robot."""
        self.robot.calibrate(clip)

    def observe(self, clip: Clip) -> Carry:
        """Encode the two newest frames."""
        if clip.frames.shape[1] < self.context:
            raise ValueError(
                f"a clip of at least {self.context} frames is needed, got {clip.frames.shape[1]}"
            )
        codes = []
        for frame in clip.frames[:, -2:].unbind(1):
            half = functional.relu(self.to_half(frame))
            quarter = functional.relu(self.to_quarter(half))
            codes.append(functional.relu(self.to_code(quarter)))
        return Carry(self.begin(torch.cat(codes, 1)), clip.states[:, -1], half, quarter)

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow no pixels: this is all that it can do (see `interfaces.FramesOnly`).

        Raises:
            UserError: There is a pixel to follow.
        """
        if num_pixels := pixels.shape[1]:
            raise UserError(
                f"this predictor imagines frames only and cannot move pixels, but {num_pixels} "
                f"were designated: plan with a goal image, or choose a predictor that moves pixels"
            )
        return carry

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Roll the memory, and draw frames only when asked (see `interfaces.Predictor`)."""
        count, num_steps, _ = actions.shape
        carry = Carry(
            memory=widen(carry.memory, count),
            state=widen(carry.state, count),
            half=widen(carry.half, count),
            quarter=widen(carry.quarter, count),
        )
        size = self.config.frame_size
        frames = []
        for action in actions.unbind(1):
            carry = self._step(carry, action)
            if decode:
                frames.append(self._draw(carry))
        no_frames = carry.memory.new_zeros(count, 0, 3, *size)
        return Prediction(
            frames=torch.stack(frames, 1) if decode else no_frames,
            pixel_maps=no_frames.new_zeros(count, num_steps, 0, *map_size_of(size)),
            lost=no_frames.new_zeros(count, num_steps, 0),
            carry=carry,
            frame_size=size,
        )

    def _step(self, carry: Carry, action: Float[Tensor, "n a"]) -> Carry:
        """Roll the memory and the robot's state on by one action."""
        hidden = carry.memory.chunk(2, 1)[0]
        command = tile(
            self.robot.command(carry.state, action), (hidden.shape[-2], hidden.shape[-1])
        )
        inputs = functional.relu(self.trunk(torch.cat([hidden, command], 1)))
        return replace(
            carry,
            memory=self.cell(inputs, carry.memory),
            state=self.robot(carry.state, action),
        )

    def _draw(self, carry: Carry) -> Float[Tensor, "n c h w"]:
        """Decode the memory, with skips from the newest context frame."""
        quarter = functional.relu(self.from_code(carry.memory.chunk(2, 1)[0]))
        half = functional.relu(self.from_quarter(torch.cat([quarter, carry.quarter], 1)))
        return self.from_half(torch.cat([half, carry.half], 1)).sigmoid()


PIXELS = Model(Pixels, PixelsConfig, Recipe(single=0.65), multiple=COARSEST_PX)
