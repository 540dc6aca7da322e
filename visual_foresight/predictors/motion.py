"""Pixel motion: the one way to move frames and pixel maps alike.

A motion predictor chooses, for every place, a few sources (a flow, the frame as it was, the first frame, something new)
and how much of each. Frames and pixel maps are then moved by the same flows and the same masks.
"""

from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Motion:
    """Where each place of the next image comes from.

    `flows` are backward, in frame pixels (down, right): the next image at x is the image now at x + flow(x). `masks` sum
    to 1 over their sources, in the order: first image, image now, one per flow, newly made.
    """

    flows: Float[Tensor, "n k 2 h w"]
    masks: Float[Tensor, "n m h w"]


def warp(
    images: Float[Tensor, "n c h w"], flow: Float[Tensor, "n 2 h w"], frame_size: tuple[int, int]
) -> Float[Tensor, "n c h w"]:
    """Sample images bilinearly at x + flow(x); beyond the border, the border.

    Args:
        images: What to move, on any grid that covers the frame.
        flow: Displacement (down, right) in pixels of the frame, on the same grid.
        frame_size: Height and width of the frame, in pixels.
    """
    height, width = images.shape[-2:]
    rows = (torch.arange(height, device=flow.device, dtype=flow.dtype) * 2 + 1) / height - 1
    cols = (torch.arange(width, device=flow.device, dtype=flow.dtype) * 2 + 1) / width - 1
    down = rows[:, None] + flow[:, 0] * (2 / frame_size[0])
    right = cols[None, :] + flow[:, 1] * (2 / frame_size[1])
    grid = torch.stack([right, down], dim=-1)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def move_frames(
    motion: Motion,
    first: Float[Tensor, "n c h w"],
    now: Float[Tensor, "n c h w"],
    new: Float[Tensor, "n c h w"],
) -> Float[Tensor, "n c h w"]:
    """Compose the next frame (Finn et al. 2016, eq. 4, with the first frame as a source as in Ebert et al. 2017)."""
    size = (now.shape[-2], now.shape[-1])
    sources = [first, now, *(warp(now, flow, size) for flow in motion.flows.unbind(1)), new]
    masks = rearrange(motion.masks, "n m h w -> n m 1 h w")
    return sum(mask * source for mask, source in zip(masks.unbind(1), sources, strict=True))  # type: ignore[return-value]


def move_maps(
    motion: Motion, now: Float[Tensor, "n p h w"], frame_size: tuple[int, int]
) -> tuple[Float[Tensor, "n p h w"], Float[Tensor, "n p"]]:
    """Move pixel maps as the frame moves; each stays a distribution.

    Backward flows and masks do not conserve mass: where the arm comes to cover an object, the next frame takes nothing from
    there. Dividing by what is left, as the papers do, blows up the little that the arm drags along. Mass that nothing takes
    is hidden, so it stays where it is; mass that is taken twice is divided. The first frame, as a source, says that a place
    looks as it did, so a map stays there too: the papers' copy of the first map would bring mass back to where it began.

    Returns:
        The maps, of the mass that they had, and how much of it nothing took (negative: was taken twice).
    """
    flowed = [warp(now, flow, frame_size) for flow in motion.flows.unbind(1)]
    masks = rearrange(motion.masks, "n m h w -> n m 1 h w").unbind(1)
    moved: Tensor = sum(mask * source for mask, source in zip(masks[:-1], [now, now, *flowed], strict=True))  # type: ignore[assignment]
    mass = reduce(now, "n p h w -> n p", "sum")
    lost = mass - reduce(moved, "n p h w -> n p", "sum")
    whole = mass.clamp(min=1e-9)
    kept = moved + rearrange(lost.clamp(min=0) / whole, "n p -> n p 1 1") * now
    return kept / rearrange(1 + (-lost).clamp(min=0) / whole, "n p -> n p 1 1"), lost


def resize_motion(motion: Motion, size: tuple[int, int]) -> Motion:
    """Bring a motion to another grid, bilinearly; flows stay in frame pixels."""
    if motion.masks.shape[-2:] == size:
        return motion
    flows = rearrange(motion.flows, "n k two h w -> n (k two) h w")
    flows = functional.interpolate(flows, size, mode="bilinear", align_corners=False)
    masks = functional.interpolate(motion.masks, size, mode="bilinear", align_corners=False)
    return Motion(rearrange(flows, "n (k two) h w -> n k two h w", two=2), masks)
