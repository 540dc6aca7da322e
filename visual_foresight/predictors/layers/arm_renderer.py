"""The robot's arm, rendered from its own state: the one part of a frame that need not be seen."""

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.vision.pixel_maps import grid


class ArmRenderer(nn.Module):
    """Renders the arm from a vector and the place of the fingertip.

    Args:
        num_inputs: Size of the vector.
        frame_size: Height and width in pixels; multiples of 8.
    """

    def __init__(self, num_inputs: int, frame_size: tuple[int, int]) -> None:
        super().__init__()
        self.frame_size = frame_size
        self.coarse_size = (frame_size[0] // 8, frame_size[1] // 8)
        self.start = nn.Sequential(
            nn.Linear(num_inputs, 64),
            nn.SiLU(),
            nn.Linear(64, 16 * self.coarse_size[0] * self.coarse_size[1]),
        )
        self.middle = nn.Conv2d(16, 16, 3, padding=1)
        self.fine = nn.Conv2d(16 + 3, 16, 3, padding=1)
        self.finest = nn.Conv2d(16, 4 * 4, 3, padding=1)

    def forward(
        self, inputs: Float[Tensor, "b k"], tip: Float[Tensor, "b 2"]
    ) -> Float[Tensor, "b 4 hf wf"]:
        """Return logits of the three colours and of the cover.

        Args:
            inputs: What determines how the arm looks.
            tip: (row, col) of the fingertip, in pixels.
        """
        height, width = self.coarse_size
        x = rearrange(self.start(inputs), "b (c h w) -> b c h w", h=height, w=width)
        x = functional.relu(self.middle(functional.interpolate(x, scale_factor=2.0)))
        # At half the frame's resolution: where each cell is, seen from the fingertip.
        half_size = (self.frame_size[0] // 2, self.frame_size[1] // 2)
        cells = rearrange(grid(half_size, self.frame_size).to(tip), "h w two -> two h w")
        offsets = (cells - rearrange(tip, "b two -> b two 1 1")) / 16
        near_tip = (-2 * offsets.square().sum(1, keepdim=True)).exp()
        x = functional.interpolate(x, scale_factor=2.0)
        x = torch.cat([x, offsets.tanh(), near_tip], 1)
        x = functional.relu(self.fine(x.to(memory_format=torch.channels_last)))
        return functional.pixel_shuffle(self.finest(x), 2)
