"""How the classic family reads motion off its features: as kernels, affine maps or flows."""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.layers.conv import normal_
from visual_foresight.predictors.layers.warping import (
    AnyMotion,
    KernelMotion,
    Motion,
    affine_flows,
)

MIN_TAP = 1e-12  # lower limit of a kernel's taps before normalisation, as in the authors' code


@dataclass(frozen=True)
class Shape:
    """The sizes of features and of what is read off them; see `model.CDNAConfig`."""

    frame_size: tuple[int, int]
    num_deep: int
    """Size of the deepest features, all places and channels together."""
    num_wide: int
    """Channels of the widest features."""
    num_transforms: int
    kernel_size: int
    spacing_px: int
    num_earlier: int


class SharedKernels(nn.Module):
    """CDNA: kernels for all places, read off the whole of the deepest features (eq. 2)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.weights = normal_(
            nn.Linear(shape.num_deep, shape.num_transforms * shape.kernel_size**2), std=1e-3
        )

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features."""
        return _by_kernels(self.weights(deep.flatten(1))[:, :, None, None], masks, self.shape)


class LocalKernels(nn.Module):
    """DNA: kernels for each place, read off the widest features there (eq. 1)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        num_taps = shape.num_transforms * shape.kernel_size**2
        self.weights = normal_(nn.Conv2d(shape.num_wide, num_taps, 1), std=0.02)

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features."""
        return _by_kernels(self.weights(wide), masks, self.shape)


class AffineMaps(nn.Module):
    """STP: affine maps of the frame, read off the whole of the deepest features (eq. 3)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.matrices = normal_(nn.Linear(shape.num_deep, shape.num_transforms * 6), std=1e-3)

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features, read as a deviation from the identity."""
        read = self.matrices(deep.flatten(1)).float()
        matrices = rearrange(read, "n (k two three) -> n k two three", two=2, three=3)
        matrices = matrices + torch.eye(2, 3).to(matrices)
        size = (masks.shape[-2], masks.shape[-1])
        return Motion(affine_flows(matrices, size, self.shape.frame_size), masks)


class LocalFlows(nn.Module):
    """Flows, read off the widest features around each place."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.weights = normal_(
            nn.Conv2d(shape.num_wide, 2 * shape.num_transforms, 3, padding=1), std=0.02
        )

    def forward(self, deep: Tensor, wide: Tensor, masks: Float[Tensor, "n m h w"]) -> AnyMotion:
        """Return the motion of these features."""
        flows = rearrange(self.weights(wide).float(), "n (k two) h w -> n k two h w", two=2)
        return Motion(flows, masks, num_earlier=self.shape.num_earlier)


READERS: dict[str, type[nn.Module]] = {
    "dna": LocalKernels,
    "cdna": SharedKernels,
    "stp": AffineMaps,
    "flow": LocalFlows,
}


def _by_kernels(
    raw: Float[Tensor, "n kuv y x"], masks: Float[Tensor, "n m h w"], shape: Shape
) -> KernelMotion:
    """Return a motion by kernels, made of raw numbers for all places or for each."""
    size = shape.kernel_size
    raw = rearrange(raw.float(), "n (k u v) y x -> n k u v y x", u=size, v=size)
    return KernelMotion(_normalised(raw), masks, shape.spacing_px)


def _normalised(raw: Float[Tensor, "n k u v y x"]) -> Float[Tensor, "n k u v y x"]:
    """Return kernels, positive and each with sum 1; 0 everywhere stands for no motion.

    As in SAVP (Lee et al. 2018).
    """
    size = raw.shape[2]
    identity = torch.zeros(size, size, 1, 1).to(raw)
    identity[size // 2, size // 2] = 1
    positive = functional.relu(raw + identity - MIN_TAP) + MIN_TAP
    return positive / positive.sum((2, 3), keepdim=True)
