"""Pixel motion: frames and pixel maps are moved by the same transforms and masks.

A motion predictor chooses a few sources for every place (an image moved by a flow or a kernel, the
newest image, the first image, newly made pixels) and how much of each. Pixel maps may also become
`Points`, moved by a forward flow. All of this is computed in full precision, also where networks
are trained in bfloat16: a map must keep its mass, and a place its fraction of a pixel.
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from einops import einsum, rearrange, reduce
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visual_foresight.vision.pixel_maps import grid

FARTHEST = 1e4
"""Place, in half images from the middle, up to which gradients are taken as they are."""


@dataclass(frozen=True)
class Motion:
    """Where each place of the next image comes from.

    `flows` are backward, in frame pixels (down, right): the next image at x is the image now at
    x + flow(x). `masks` sum to 1 over their sources, in the order: first image, image now, one
    per flow, newly made. The last `num_earlier` flows read the image before the one now. Where
    `forward` is given, it moves the pixel maps, as `Points`: what is at x now goes to x +
    forward(x), on a grid of its own.
    """

    flows: Float[Tensor, "n k 2 h w"]
    masks: Float[Tensor, "n m h w"]
    forward: Float[Tensor, "n 2 y x"] | None = None
    num_earlier: int = 0
    drawn: bool = False
    """Whether the flows are only a picture of what moved in another way (bodies, as a whole), right
    within about half a pixel."""


@dataclass(frozen=True)
class KernelMotion:
    """The same with convolution kernels in place of flows (Finn et al. 2016, section 3).

    Kernels are backward too: the next image at x is the sum over taps u of kernel(u) times the
    image now at x + u. Taps (down, right) lie `spacing_px` frame pixels apart around the middle
    one, their number is odd; a kernel is not negative and sums to 1. Either each place has its
    own kernels (DNA: `y x` is a grid that covers the frame) or all share them (CDNA: 1 1).
    """

    kernels: Float[Tensor, "n k u v y x"]
    masks: Float[Tensor, "n m h w"]
    spacing_px: int = 1


AnyMotion = Motion | KernelMotion


def warp(
    images: Float[Tensor, "n c h w"],
    flow: Float[Tensor, "n 2 h w"],
    frame_size: tuple[int, int],
) -> Float[Tensor, "n c h w"]:
    """Sample images bilinearly at x + flow(x); beyond the border, the border.

    Args:
        images: What to move, on any grid that covers the frame.
        flow: Displacement (down, right) in pixels of the frame, on the same grid.
        frame_size: Height and width of the frame, in pixels.
    """
    here = grid((images.shape[-2], images.shape[-1]), frame_size).to(flow)
    return sample(images, here + rearrange(flow, "n two h w -> n h w two"), frame_size)


def sample(
    images: Float[Tensor, "n c h w"],
    places: Float[Tensor, "n y x 2"],
    frame_size: tuple[int, int],
    beyond: Literal["border", "zeros"] = "border",
) -> Float[Tensor, "n c y x"]:
    """Read images bilinearly at places.

    Args:
        images: On any grid that covers the frame.
        places: (row, col) in frame pixels.
        frame_size: Height and width of the frame, in pixels.
        beyond: What is read off the frame.
    """
    scale = 2 / places.new_tensor(frame_size)
    halves = torch.addcmul(scale / 2 - 1, places, scale)  # of the frame, from its middle
    return functional.grid_sample(
        images,
        differentiable(halves, images).flip(-1),
        mode="bilinear",
        padding_mode=beyond,
        align_corners=False,
    )


def differentiable(
    halves: Float[Tensor, "n y x 2"], images: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n y x 2"]:
    """Return places at which `grid_sample` has a gradient.

    Backwards, it reads memory that is not its own at places that are not finite.

    Args:
        halves: Places, from -1 to 1 across the images.
        images: What is read there.

    Raises:
        FloatingPointError: A place that a gradient is wanted at is not a number: weights have grown
            beyond all bounds.
    """
    is_learning = images.requires_grad or halves.requires_grad
    if not (torch.is_grad_enabled() and is_learning and halves.numel()):
        return halves
    farthest = float(halves.detach().abs().amax())
    if math.isnan(farthest):
        raise FloatingPointError("places that are read are not numbers")
    # What is off the images reads the same however far off it is.
    return halves if farthest <= FARTHEST else halves.clamp(-FARTHEST, FARTHEST)


def affine_flows(
    matrices: Float[Tensor, "n k 2 3"], size: tuple[int, int], frame_size: tuple[int, int]
) -> Float[Tensor, "n k 2 {size[0]} {size[1]}"]:
    """Return the flows that sample at matrix @ (row, col, 1).

    STP in Finn et al. 2016, eq. 3; Jaderberg et al. 2015.

    Args:
        matrices: In half frames (down, right) from the frame's middle; (1 0 0, 0 1 0) is no motion.
        size: Rows and columns of the flows.
        frame_size: Height and width of the frame, in pixels.
    """
    device = matrices.device
    rows = (torch.arange(size[0], device=device) * 2 + 1) / size[0] - 1
    cols = (torch.arange(size[1], device=device) * 2 + 1) / size[1] - 1
    row, col = torch.meshgrid(rows, cols, indexing="ij")
    place = torch.stack([row, col, torch.ones(size, device=device)])
    with torch.autocast(matrices.device.type, enabled=False):
        moved = (
            einsum(matrices.float(), place, "n k two three, three h w -> n k two h w")
            - place[:2]
        )
    return moved * rearrange(moved.new_tensor(frame_size) / 2, "two -> two 1 1")


def transform(
    motion: AnyMotion,
    images: Float[Tensor, "n c h w"],
    frame_size: tuple[int, int],
    earlier: Float[Tensor, "n c h w"] | None = None,
) -> list[Float[Tensor, "n c h w"]]:
    """Return the images as each flow or kernel moves them; beyond the border, the border.

    Args:
        motion: What moves.
        images: Those now.
        frame_size: Height and width of the frame, in pixels.
        earlier: The images before them; where there are none, those now.
    """
    if isinstance(motion, Motion):
        num_now = motion.flows.shape[1] - motion.num_earlier
        before = images if earlier is None else earlier
        return [
            warp(images if k < num_now else before, flow, frame_size)
            for k, flow in enumerate(motion.flows.unbind(1))
        ]
    with torch.autocast(images.device.type, enabled=False):
        kernels = motion.kernels.float()
        strides = [1, 1]
        for axis in (0, 1):
            spacing = motion.spacing_px * images.shape[2 + axis] / frame_size[axis]
            if spacing.is_integer():
                strides[axis] = int(spacing)
            else:
                shares = _shares(kernels.shape[2 + axis], spacing).to(kernels)
                kernels = torch.movedim(
                    torch.movedim(kernels, 2 + axis, -1) @ shares, -1, 2 + axis
                )
        return _convolve(images.float(), kernels, (strides[0], strides[1]))


def _shares(num_taps: int, spacing: float) -> Float[Tensor, "{num_taps} cells"]:
    """Return how taps that lie between the cells of a grid are shared by the cells, linearly.

    Sharing moves no tap on average.
    """
    places = (torch.arange(num_taps) - num_taps // 2) * spacing
    reach = math.ceil(num_taps // 2 * spacing)
    return (1 - (places[:, None] - torch.arange(-reach, reach + 1)).abs()).clamp(min=0)


def _convolve(
    images: Float[Tensor, "n c h w"],
    kernels: Float[Tensor, "n k u v y x"],
    strides: tuple[int, int],
) -> list[Float[Tensor, "n c h w"]]:
    """Apply each kernel to its candidate's images; taps lie `strides` cells apart."""
    height, width = images.shape[-2:]
    num_rows, num_cols = kernels.shape[2:4]
    reach = (num_rows // 2 * strides[0], num_cols // 2 * strides[1])
    padded = functional.pad(images, (reach[1], reach[1], reach[0], reach[0]), mode="replicate")
    # one group of channels per candidate, since each has kernels of its own
    if kernels.shape[-2:] == (1, 1):
        count = len(images)
        weights = rearrange(kernels, "n k u v 1 1 -> (n k) 1 u v")
        moved = functional.conv2d(
            rearrange(padded, "n c h w -> c n h w"), weights, dilation=strides, groups=count
        )
        return list(rearrange(moved, "c (n k) h w -> k n c h w", n=count).unbind(0))
    windows = functional.unfold(padded, (num_rows, num_cols), dilation=strides)
    windows = rearrange(
        windows, "n (c u v) (h w) -> n c u v h w", u=num_rows, v=num_cols, h=height, w=width
    )
    return [
        reduce(kernel[:, None] * windows, "n c u v h w -> n c h w", "sum")
        for kernel in kernels.unbind(1)
    ]


def move_frames(
    motion: AnyMotion,
    first: Float[Tensor, "n c h w"],
    now: Float[Tensor, "n c h w"],
    new: Float[Tensor, "n c h w"],
    earlier: Float[Tensor, "n c h w"] | None = None,
) -> Float[Tensor, "n c h w"]:
    """Compose the next frame from its sources.

    Finn et al. 2016, eq. 4, with the first frame as a source as in Ebert et al. 2017.
    """
    size = (now.shape[-2], now.shape[-1])
    sources = [first, now, *transform(motion, now, size, earlier), new]
    masks = rearrange(motion.masks, "n m h w -> n m 1 h w")
    return sum(mask * source for mask, source in zip(masks.unbind(1), sources, strict=True))  # type: ignore[return-value]


def move_maps(
    motion: AnyMotion,
    now: Float[Tensor, "n p h w"],
    frame_size: tuple[int, int],
    earlier: Float[Tensor, "n p h w"] | None = None,
) -> tuple[Float[Tensor, "n p h w"], Float[Tensor, "n p"]]:
    """Move pixel maps as the frame moves; each stays a distribution.

    Backward motion and masks do not conserve mass: where the arm moves over an object, the next
    frame takes nothing from there. The papers divide by the mass that is left, which blows up the
    little that the arm drags along. Here, mass that no place takes counts as hidden and stays where
    it is, and mass that several places take is divided. Where the first frame is a source, a place
    looks as it did, so a map stays there, too; the papers' copy of the first map would return mass
    to where it began.

    Returns:
        The maps with the mass that they had, and how much of it no place took (negative if it was
        taken several times).
    """
    if not now.shape[1]:
        return now, now.new_zeros(len(now), 0)
    sources = [now, now, *transform(motion, now, frame_size, earlier)]
    masks = rearrange(motion.masks, "n m h w -> n m 1 h w").unbind(1)
    moved: Tensor = sum(mask * source for mask, source in zip(masks[:-1], sources, strict=True))  # type: ignore[assignment]
    mass = reduce(now, "n p h w -> n p", "sum")
    lost = mass - reduce(moved, "n p h w -> n p", "sum")
    whole = mass.clamp(min=1e-9)
    kept = moved + rearrange(lost.clamp(min=0) / whole, "n p -> n p 1 1") * now
    return kept / rearrange(1 + (-lost).clamp(min=0) / whole, "n p -> n p 1 1"), lost


def resize_motion(motion: AnyMotion, size: tuple[int, int]) -> AnyMotion:
    """Bring a motion to another grid, bilinearly; flows and taps stay in frame pixels."""
    if motion.masks.shape[-2:] == size:
        return motion
    masks = _resize(motion.masks, size)
    if isinstance(motion, Motion):
        flows = _resize(rearrange(motion.flows, "n k two h w -> n (k two) h w"), size)
        return replace(
            motion, flows=rearrange(flows, "n (k two) h w -> n k two h w", two=2), masks=masks
        )
    if motion.kernels.shape[-2:] == (1, 1):
        return KernelMotion(motion.kernels, masks, motion.spacing_px)
    kernels = _resize(motion.kernels.flatten(1, 3), size).unflatten(
        1, motion.kernels.shape[1:4]
    )
    return KernelMotion(kernels, masks, motion.spacing_px)


def _resize(
    images: Float[Tensor, "n c _ _"], size: tuple[int, int]
) -> Float[Tensor, "n c {size[0]} {size[1]}"]:
    return functional.interpolate(images, size, mode="bilinear", align_corners=False)
