"""What a picture is made of: where the arm is, where things are, behind it too, and where one
ends that touches another.

A U-Net (Ronneberger et al. 2015) adds to what is plain: a pixel that differs from the empty
table shows a thing unless the arm is drawn there. It learns from collages (`collages.py`),
whose layers are known: amodal completion without labels, as in Zhan et al., "Self-Supervised
Scene De-occlusion" (2020).
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.layers.conv import Residual, doubling, normal_
from visual_foresight.vision.pixel_maps import grid

SURE = 0.02  # the least probability of what is plain
RARE = -4.0  # logit of a border where nothing is known
NEAR_PX = 5.0
BORDER_WEIGHT = 0.2  # of a pixel far from things, and
NEAR_WEIGHT = 5.0  # of one near them, where all that is hard is
NEAR_THINGS_PX = 4


@dataclass(frozen=True)
class Layers:
    """Probabilities per pixel, or what is true."""

    arm: Float[Tensor, "b h w"]
    """It shows the arm."""
    thing: Float[Tensor, "b h w"]
    """It would show a thing if there were no arm; half, where half of the pixel would."""
    border: Float[Tensor, "b h w"]
    """It would show a thing just where that touches another."""


class SegmentationNetwork(nn.Module):
    """Tells the layers of a frame whose sides are multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (16, 32, 64, 96)
        self.down = nn.ModuleList(
            nn.Conv2d(9, size, 3, padding=1)
            if not k
            else nn.Conv2d(sizes[k - 1], size, 4, stride=2, padding=1)
            for k, size in enumerate(sizes)
        )
        self.more = nn.ModuleList(
            [
                nn.Identity(),
                Residual(32),
                Residual(64),
                nn.Sequential(Residual(96), Residual(96)),
            ]
        )
        self.up = nn.ModuleList(doubling(sizes[k + 1], sizes[k]) for k in range(3))
        self.mix = nn.ModuleList([Residual(16), nn.Identity(), Residual(64)])
        self.logits = nn.Conv2d(16, 3, 3, padding=1)
        normal_(self.logits, 0.01)  # at first, all is about as is plain

    def forward(
        self,
        frames: Float[Tensor, "b 3 h w"],
        empty: Float[Tensor, "3 h w"],
        plain: Float[Tensor, "b h w"],
        cover: Float[Tensor, "b h w"],
        tips: Float[Tensor, "b 2"],
    ) -> Float[Tensor, "b 3 h w"]:
        """Return logits of the layers.

        Args:
            frames: What is seen.
            empty: The table without anything.
            plain: How much each pixel differs from it, as a probability that it shows something
                else.
            cover: How much of the arm is drawn there.
            tips: (row, col) of the fingertip.
        """
        size = (frames.shape[-2], frames.shape[-1])
        away = grid(size, size).to(frames) - rearrange(tips, "b two -> b 1 1 two")
        near = (-away.square().sum(-1) / (2 * NEAR_PX**2)).exp()
        seen = torch.cat(
            [2 * (frames - empty), frames - 0.5, torch.stack([plain, cover, near], 1)], 1
        )
        levels, x = [], seen.contiguous(memory_format=torch.channels_last)
        for down, more in zip(self.down, self.more, strict=True):
            x = more(functional.relu(down(x)))
            levels.append(x)
        for k in (2, 1, 0):
            x = self.mix[k](functional.relu(levels[k] + self.up[k](x)))
        known = [_logit(cover), _logit(plain * (1 - cover)), torch.full_like(plain, RARE)]
        return torch.stack(known, 1) + self.logits(functional.relu(x)).float()


def layers(logits: Float[Tensor, "b 3 h w"]) -> Layers:
    """Return probabilities."""
    return Layers(*logits.sigmoid().unbind(1))


def unlike(logits: Float[Tensor, "b 3 h w"], truth: Layers) -> Float[Tensor, ""]:
    """Return how unlikely the true layers are, as binary cross-entropy.

    Of borders, only on things.
    """
    near = functional.max_pool2d(
        truth.thing[:, None], 2 * NEAR_THINGS_PX + 1, 1, NEAR_THINGS_PX
    )[:, 0]
    near_weight = 1 + (NEAR_WEIGHT - 1) * near
    weights = torch.stack(
        [
            torch.ones_like(near),
            near_weight * (1 + truth.arm),
            (truth.thing > 0.5) * (BORDER_WEIGHT + near),
        ],
        1,
    )
    true = torch.stack([truth.arm, truth.thing, truth.border], 1)
    wrong = (
        functional.binary_cross_entropy_with_logits(logits, true, reduction="none") * weights
    )
    return (wrong.sum((0, 2, 3)) / weights.sum((0, 2, 3)).clamp(min=1e-6)).sum()


def _logit(probability: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    return probability.clamp(SURE, 1 - SURE).logit()
