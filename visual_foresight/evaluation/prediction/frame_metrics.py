"""How alike two frames are: PSNR and SSIM, over whole frames and over the pixels that move.
Frames are in [0, 1].

Written here, because at 64 pixels the libraries differ by 0.02: torchmetrics (since 1.5)
averages SSIM over a border that it makes up by reflection, scikit-image and piq, as Wang et al.
2004, over the places where the whole window fits. Ours is the latter, and a test holds it to
scikit-image's.
"""

import torch
from einops import rearrange, reduce
from jaxtyping import Bool, Float
from torch import Tensor

from visual_foresight.types import UserError

WINDOW, SIGMA = 11, 1.5
"""SSIM's window: 11x11, Gaussian (Wang et al. 2004)."""
STABLE = (0.01**2, 0.03**2)
"""C1 and C2 of Wang et al. 2004 for a data range of 1."""
MOVES = 0.08
"""A pixel moves when a channel differs by more than this from the newest context frame, as in
training."""
LEAST_ERROR = 1e-10


def moving(
    future: Float[Tensor, "b t c h w"], newest: Float[Tensor, "b c h w"]
) -> Bool[Tensor, "b t h w"]:
    """Tell which pixels of what happened differ from the newest context frame.

    Those that `still` gets wrong.
    """
    return reduce((future - newest[:, None]).abs(), "b t c h w -> b t h w", "max") > MOVES


def seen_again(moves: Bool[Tensor, "b t h w"]) -> Bool[Tensor, "b t h w"]:
    """Tell which pixels look as in the newest context frame, but did not for a while.

    What hid them has gone.
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
    """Return the structural similarity of each frame (Wang et al. 2004, eq. 13), the mean over
    channels and windows.

    Each channel is compared by itself; only windows that fit into the frame count, so none of
    its border is made up.

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
            f"frames of {WINDOW} pixels a side or more are needed for SSIM, got {frame_size}: use larger ones"
        )


def _similarity(
    predicted: Float[Tensor, "*batch c h w"], true: Float[Tensor, "*batch c h w"]
) -> Float[Tensor, "*batch c inner_h inner_w"]:
    """Return SSIM's value of every window that fits into the frame."""
    moments = torch.stack([predicted, true, predicted**2, true**2, predicted * true])
    mean_p, mean_t, square_p, square_t, product = _blur(moments).unbind(0)
    var_p, var_t, covariance = (
        square_p - mean_p**2,
        square_t - mean_t**2,
        product - mean_p * mean_t,
    )
    light = (2 * mean_p * mean_t + STABLE[0]) / (mean_p**2 + mean_t**2 + STABLE[0])
    return light * (2 * covariance + STABLE[1]) / (var_p + var_t + STABLE[1])


def _blur(images: Float[Tensor, "*batch h w"]) -> Float[Tensor, "*batch inner_h inner_w"]:
    """Take the Gaussian mean of every window that fits.

    Two matrix products, far faster than convolutions of one channel.
    """
    rows, cols = (_band(size).to(images) for size in images.shape[-2:])
    return rows @ images @ cols.T


def _band(size: int) -> Float[Tensor, "inner {size}"]:
    """Return the matrix whose row i holds the window's weights at i ... i + 10."""
    weights = torch.exp(-0.5 * ((torch.arange(WINDOW) - WINDOW // 2) / SIGMA) ** 2)
    inner = size - WINDOW + 1
    band = torch.zeros(inner, size)
    places = torch.arange(inner)[:, None] + torch.arange(WINDOW)
    return band.scatter(1, places, (weights / weights.sum()).expand(inner, WINDOW))


def _mean_over(
    values: Float[Tensor, "*batch h w"], where: Bool[Tensor, "*batch h w"] | None
) -> Float[Tensor, "*batch"]:
    """Return the mean over the pixels that count; 0 where none does."""
    flat = rearrange(values, "... h w -> ... (h w)")
    if where is None:
        return flat.mean(-1)
    counts = rearrange(where, "... h w -> ... (h w)")
    return (flat * counts).sum(-1) / counts.sum(-1).clamp(min=1)
