"""The layers of a frame: arm, objects (also behind the arm), and borders between objects.

A U-Net (Ronneberger et al. 2015) corrects a prior: a pixel that differs from the background shows
an object unless the arm is drawn there. It learns from collages (`copy_paste.py`), whose layers are
known: amodal completion without labels, as in Zhan et al., "Self-Supervised Scene De-occlusion"
(2020).
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.layers.conv import Residual, doubling, normal_
from visual_foresight.vision.pixel_maps import grid

LEAST_PRIOR = 0.02  # probabilities of the prior are between this and 1 minus this
BORDER_LOGIT = -4.0  # prior logit of a border
TIP_RADIUS_PX = 5.0  # standard deviation of the blob that marks the fingertip
BORDER_WEIGHT = 0.2  # in the loss, of border pixels far from objects
NEAR_WEIGHT = 5.0  # in the loss, of pixels near objects, where all the hard ones are
NEAR_OBJECTS_PX = 4  # distance from an object up to which a pixel is near it


@dataclass(frozen=True)
class Layers:
    """What each pixel shows: probabilities, or the truth."""

    arm: Float[Tensor, "b h w"]
    """The arm."""
    objects: Float[Tensor, "b h w"]
    """An object, if the arm were not there; 0.5 where half of the pixel would show one."""
    border: Float[Tensor, "b h w"]
    """The border between two objects that touch, if the arm were not there."""

    @classmethod
    def from_logits(cls, logits: Float[Tensor, "b 3 h w"]) -> "Layers":
        """Return the probabilities of logits."""
        arm, objects, border = logits.sigmoid().unbind(1)
        return cls(arm, objects, border)


class SegmentationNetwork(nn.Module):
    """A U-Net that segments frames whose sides are multiples of 8."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(
            [
                nn.Conv2d(9, 16, 3, padding=1),
                nn.Conv2d(16, 32, 4, stride=2, padding=1),
                nn.Conv2d(32, 64, 4, stride=2, padding=1),
                nn.Conv2d(64, 96, 4, stride=2, padding=1),
            ]
        )
        self.more = nn.ModuleList(
            [
                nn.Identity(),
                Residual(32),
                Residual(64),
                nn.Sequential(Residual(96), Residual(96)),
            ]
        )
        self.up = nn.ModuleList([doubling(32, 16), doubling(64, 32), doubling(96, 64)])
        self.mix = nn.ModuleList([Residual(16), nn.Identity(), Residual(64)])
        self.logits = nn.Conv2d(16, 3, 3, padding=1)
        normal_(self.logits, 0.01)  # begins near the prior

    def forward(
        self,
        frames: Float[Tensor, "b 3 h w"],
        background: Float[Tensor, "3 h w"],
        opacity: Float[Tensor, "b h w"],
        cover: Float[Tensor, "b h w"],
        tips: Float[Tensor, "b 2"],
    ) -> Float[Tensor, "b 3 h w"]:
        """Return logits of arm, objects and border.

        Args:
            frames: Colours from 0 to 1.
            background: The empty scene.
            opacity: Prior probability that a pixel shows something else than the background.
            cover: How much of each pixel the drawn arm covers, from 0 to 1.
            tips: (row, col) of the fingertips, in pixels.
        """
        size = (frames.shape[-2], frames.shape[-1])
        offsets = grid(size, size).to(frames) - rearrange(tips, "b two -> b 1 1 two")
        near_tip = (-offsets.square().sum(-1) / (2 * TIP_RADIUS_PX**2)).exp()
        x = torch.cat(
            [
                2 * (frames - background),
                frames - 0.5,
                torch.stack([opacity, cover, near_tip], 1),
            ],
            1,
        ).contiguous(memory_format=torch.channels_last)
        levels = []
        for down, more in zip(self.down, self.more, strict=True):
            x = more(functional.relu(down(x)))
            levels.append(x)
        for k in (2, 1, 0):
            x = self.mix[k](functional.relu(levels[k] + self.up[k](x)))
        correction = self.logits(functional.relu(x)).float()
        prior = torch.stack(
            [
                _logit(cover),
                _logit(opacity * (1 - cover)),
                torch.full_like(opacity, BORDER_LOGIT),
            ],
            1,
        )
        return prior + correction


def segmentation_loss(logits: Float[Tensor, "b 3 h w"], truth: Layers) -> Float[Tensor, ""]:
    """Return the weighted binary cross-entropy of the layers, a mean per layer, summed.

    Pixels near objects weigh more, of the object layer those behind the arm twice. Borders count on
    objects only.
    """
    near = functional.max_pool2d(
        truth.objects[:, None], 2 * NEAR_OBJECTS_PX + 1, 1, NEAR_OBJECTS_PX
    )[:, 0]
    near_weight = 1 + (NEAR_WEIGHT - 1) * near
    weights = torch.stack(
        [
            torch.ones_like(near),
            near_weight * (1 + truth.arm),
            (truth.objects > 0.5) * (BORDER_WEIGHT + near),
        ],
        1,
    )
    target = torch.stack([truth.arm, truth.objects, truth.border], 1)
    entropy = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    total = (entropy * weights).sum((0, 2, 3))
    return (total / weights.sum((0, 2, 3)).clamp(min=1e-6)).sum()


def _logit(probability: Float[Tensor, "b h w"]) -> Float[Tensor, "b h w"]:
    return probability.clamp(LEAST_PRIOR, 1 - LEAST_PRIOR).logit()
