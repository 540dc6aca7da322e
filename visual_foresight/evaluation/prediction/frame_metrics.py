"""How alike two frames are: PSNR and SSIM, over whole frames and over the pixels that move.

Frames are in [0, 1]. SSIM is written here, because at 64 pixels the libraries differ by 0.02:
torchmetrics (since 1.5) averages it over a border that it makes up by reflection, scikit-image
and piq average, as Wang et al. 2004 do, over the places where the whole window fits. Ours does
the latter, and a test compares it with scikit-image's.
"""

import torch
from einops import rearrange, reduce
from jaxtyping import Bool, Float
from torch import Tensor

from visual_foresight.types import UserError

WINDOW = 11
"""Side of SSIM's window, in pixels (Wang et al. 2004)."""
SIGMA = 1.5
"""Standard deviation of SSIM's Gaussian window, in pixels (Wang et al. 2004)."""
C1 = 0.01**2
C2 = 0.03**2
"""SSIM's stabilising constants for a data range of 1 (Wang et al. 2004)."""
MOVES = 0.08
"""A pixel moves when one of its channels differs by more than this from the newest context frame;
the same as in training."""
LEAST_ERROR = 1e-10
"""Mean squared error of frames that count as equal: 100 dB."""


def moving(
    future: Float[Tensor, "b t c h w"], newest: Float[Tensor, "b c h w"]
) -> Bool[Tensor, "b t h w"]:
    """Tell which pixels of the true future differ from the newest context frame.

    These are the pixels that the persistence baseline gets wrong.
    """
    return reduce((future - newest[:, None]).abs(), "b t c h w -> b t h w", "max") > MOVES


def seen_again(moves: Bool[Tensor, "b t h w"]) -> Bool[Tensor, "b t h w"]:
    """Tell which pixels moved at an earlier step and look as in the newest context frame again.

    Something hid them for a while.
    """
    return moves.int().cummax(1).values.bool() & ~moves


def psnr(
    predicted: Float[Tensor, "*batch c h w"],
    true: Float[Tensor, "*batch c h w"],
    where: Bool[Tensor, "*batch h w"] | None = None,
) -> Float[Tensor, "*batch"]:
    """Return the peak signal-to-noise ratio of each frame in dB; equal frames give 100 dB.

    Args:
        predicted: in [0, 1].
        true: likewise.
        where: which pixels count; all of them when absent. A frame in which none does gives 100 dB.
    """
    error = reduce((predicted - true) ** 2, "... c h w -> ... h w", "mean")
    return -10 * torch.log10(_mean_over(error, where).clamp(min=LEAST_ERROR))


def ssim(
    predicted: Float[Tensor, "*batch c h w"],
    true: Float[Tensor, "*batch c h w"],
    where: Bool[Tensor, "*batch h w"] | None = None,
) -> Float[Tensor, "*batch"]:
    """Return the structural similarity of each frame (Wang et al. 2004, eq. 13).

    It is the mean over channels, each compared by itself, and over the windows that fit into
    the frame, so that none of its border is made up.

    Args:
        predicted: in [0, 1], so that the data range is 1; 11 pixels or more a side.
        true: likewise.
        where: pixels whose windows (centred on them) count; all of them when absent. A frame
            with none gives 0.
    """
    values = reduce(_similarity(predicted, true), "... c h w -> ... h w", "mean")
    return _mean_over(values, None if where is None else inner(where))


def inner(pixels: Bool[Tensor, "*batch h w"]) -> Bool[Tensor, "*batch inner_h inner_w"]:
    """Return the part of a frame whose pixels are the centres of windows that fit."""
    margin = WINDOW // 2
    return pixels[..., margin:-margin, margin:-margin]


def check_ssim(frame_size: tuple[int, int]) -> None:
    """Raise `UserError` when SSIM's window does not fit into frames of this size."""
    if min(frame_size) < WINDOW:
        raise UserError(
            f"frames of {WINDOW} pixels a side or more are needed for SSIM, got {frame_size}: "
            "use larger ones"
        )


def _similarity(
    predicted: Float[Tensor, "*batch c h w"], true: Float[Tensor, "*batch c h w"]
) -> Float[Tensor, "*batch c inner_h inner_w"]:
    """Return SSIM's value of every window that fits into the frame."""
    moments = torch.stack([predicted, true, predicted**2, true**2, predicted * true])
    mean_p, mean_t, square_p, square_t, product = _blur(moments).unbind(0)
    var_p = square_p - mean_p**2
    var_t = square_t - mean_t**2
    covariance = product - mean_p * mean_t
    luminance = (2 * mean_p * mean_t + C1) / (mean_p**2 + mean_t**2 + C1)
    return luminance * (2 * covariance + C2) / (var_p + var_t + C2)


def _blur(images: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch inner_h inner_w"]:
    """Return the Gaussian mean of every window that fits.

    Two matrix products are far faster than convolutions of one channel.
    """
    height, width = images.shape[-2:]
    return _band(height).to(images) @ images @ _band(width).to(images).T


def _band(size: int) -> Float[Tensor, "inner {size}"]:
    """Return the matrix whose row i holds the window's weights in columns i to i + WINDOW - 1."""
    weights = torch.exp(-0.5 * ((torch.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    num_windows = size - WINDOW + 1
    band = torch.zeros(num_windows, size)
    columns = torch.arange(num_windows)[:, None] + torch.arange(WINDOW)
    return band.scatter(1, columns, (weights / weights.sum()).expand(num_windows, WINDOW))


def _mean_over(
    values: Float[Tensor, "*batch h w"], where: Bool[Tensor, "*batch h w"] | None
) -> Float[Tensor, "*batch"]:
    """Return the mean over the pixels that count; 0 where none does."""
    flat = rearrange(values, "... h w -> ... (h w)")
    if where is None:
        return flat.mean(-1)
    counts = rearrange(where, "... h w -> ... (h w)")
    return (flat * counts).sum(-1) / counts.sum(-1).clamp(min=1)
