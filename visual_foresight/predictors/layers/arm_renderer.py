"""The robot's arm, drawn from where the robot says it is.

The one thing in a frame that need not be seen to be known.
"""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.vision.pixel_maps import grid


class ArmRenderer(nn.Module):
    """Draws the arm from a few numbers and from where the fingertip is."""

    def __init__(self, num_inputs: int, frame_size: tuple[int, int]) -> None:
        super().__init__()
        self.frame_size = frame_size
        self.coarse = (frame_size[0] // 8, frame_size[1] // 8)
        self.start = nn.Sequential(
            nn.Linear(num_inputs, 64),
            nn.SiLU(),
            nn.Linear(64, 16 * self.coarse[0] * self.coarse[1]),
        )
        self.middle = nn.Conv2d(16, 16, 3, padding=1)
        self.fine = nn.Conv2d(16 + 3, 16, 3, padding=1)
        self.finest = nn.Conv2d(16, 4 * 4, 3, padding=1)

    def forward(
        self, numbers: Float[Tensor, "b k"], tip: Float[Tensor, "b 2"]
    ) -> Float[Tensor, "b 4 hf wf"]:
        """Return logits of the colours and of the cover; the tip is (row, col) in pixels."""
        drawn = rearrange(
            self.start(numbers), "b (c h w) -> b c h w", h=self.coarse[0], w=self.coarse[1]
        )
        drawn = functional.relu(self.middle(functional.interpolate(drawn, scale_factor=2.0)))
        height, width = self.frame_size
        cells = rearrange(
            grid((height // 2, width // 2), self.frame_size).to(tip), "h w two -> two h w"
        )
        offsets = (cells - rearrange(tip, "b two -> b two 1 1")) / 16
        near = (-2 * offsets.square().sum(1, keepdim=True)).exp()
        drawn = torch.cat(
            [functional.interpolate(drawn, scale_factor=2.0), offsets.tanh(), near], 1
        )
        drawn = functional.relu(self.fine(drawn.to(memory_format=torch.channels_last)))
        return functional.pixel_shuffle(self.finest(drawn), 2)
