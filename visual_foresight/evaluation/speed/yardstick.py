"""What speeds are compared with in the same run: matrix products, and a network of 2018."""

import statistics
import time
from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

GEMM_SIZE = 2048
"""Rows and columns of the matrices."""
STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
"""Channels of the encoder's convolutions, stage by stage."""
LATENT = 128
"""Channels of the latent vector."""


def median_s(work: Callable[[], object], repeats: int) -> float:
    """Return the median time of several runs; the caller has warmed up."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def gemm_gflops() -> float:
    """Return the speed of a large float32 matrix product, in 1e9 operations per second.

    The median of 7 products counts.
    """
    left, right = torch.rand(2, GEMM_SIZE, GEMM_SIZE).unbind(0)
    return 2 * GEMM_SIZE**3 / median_s(lambda: left @ right, 7) / 1e9


class VggYardstick(nn.Module):
    """An encoder and decoder of the size of SVG's, with skip connections between them.

    Denton and Fergus 2018, VGG for frames of 64 x 64. Only its cost matters, about 2.9 G
    multiply-adds per frame: it is never trained.
    """

    def __init__(self) -> None:
        super().__init__()
        sizes = [3, *(stage[-1] for stage in STAGES)]
        self.down = nn.ModuleList(
            _stage(size, stage) for size, stage in zip(sizes[:-1], STAGES, strict=True)
        )
        self.to_latent = nn.Sequential(
            nn.Conv2d(512, LATENT, 4), nn.BatchNorm2d(LATENT), nn.Tanh()
        )
        self.from_latent = _activated(nn.ConvTranspose2d(LATENT, 512, 4), 512)
        outs = ((512, 512, 256), (256, 256, 128), (128, 64), (64,))
        ins = (2 * 512, 2 * 256, 2 * 128, 2 * 64)
        self.up = nn.ModuleList(
            _stage(size, stage) for size, stage in zip(ins, outs, strict=True)
        )
        self.to_frame = nn.Sequential(nn.ConvTranspose2d(64, 3, 3, padding=1), nn.Sigmoid())

    def forward(self, frames: Float[Tensor, "b 3 64 64"]) -> Float[Tensor, "b 3 64 64"]:
        """Encode and decode."""
        skips = []
        hidden = frames
        for stage in self.down:
            skips.append(stage(hidden))
            hidden = functional.max_pool2d(skips[-1], 2)
        hidden = self.from_latent(self.to_latent(hidden))
        for stage, skip in zip(self.up, reversed(skips), strict=True):
            hidden = stage(torch.cat([functional.interpolate(hidden, scale_factor=2), skip], 1))
        return self.to_frame(hidden)


def _stage(size: int, outs: Sequence[int]) -> nn.Sequential:
    """Return 3x3 convolutions from this number of channels through these."""
    ins = (size, *outs[:-1])
    layers = [
        _activated(nn.Conv2d(num_in, num_out, 3, padding=1), num_out)
        for num_in, num_out in zip(ins, outs, strict=True)
    ]
    return nn.Sequential(*layers)


def _activated(layer: nn.Module, channels: int) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.LeakyReLU(0.2))
