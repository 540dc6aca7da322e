"""Pictures of what a predictor imagines: filmstrips, animations, masks, and flows by colour.

A picture is a `data:` URL, so that the page needs no other file.
"""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import einsum, rearrange, reduce
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torchvision.utils import flow_to_image

from visual_foresight.evaluation.prediction.segments import KINDS, Segment, batch_of
from visual_foresight.interfaces import MotionPredictor, Predictor
from visual_foresight.predictors.layers.warping import AnyMotion, KernelMotion, Motion
from visual_foresight.types import Pixel, Prediction, to_uint8
from visual_foresight.vision.drawing import Frame, Picture, beside, overlay, upscale

SCALE = 3
"""Pixels of a drawing along a pixel of a frame."""
FLOW_PX = 4.0
"""A flow of this many pixels, or more, has its full colour."""
FRAME_MS = 220
"""How long a picture of an animation is shown."""
LAST_FRAME_MS = 1200
"""How long the last picture of an animation is shown."""
NO_MAPS = np.zeros((0, 1, 1), np.float32)


@dataclass(frozen=True)
class Row:
    """A row of a filmstrip: one picture, the frames side by side."""

    label: str
    picture: str
    sharp: bool = True
    """Pixels of frames, to be shown as squares; otherwise a drawing."""


@dataclass(frozen=True)
class Filmstrip:
    """One segment: what happened and what was imagined."""

    title: str
    times: tuple[str, ...]
    """When each column is: "now", "+1", ..."""
    rows: tuple[Row, ...]
    animation: str
    panels: tuple[str, ...]
    """What the animation shows, from left to right."""


def filmstrip(
    predictor: Predictor, segment: Segment, future: Prediction, title: str
) -> Filmstrip:
    """Show a segment: truth, imagination, pixel map, and the motion where the predictor tells it.

    Args:
        predictor: what imagined.
        segment: what was given, and what happened.
        future: what was imagined of it, n = 1, with frames.
        title: a sentence on the segment.
    """
    point = point_to_show(segment)
    start = segment.context_frames[-1]
    true = [start, *segment.future]
    imagined = [start, *to_uint8(future.frames[0])]
    marked = [_marked(frame, NO_MAPS, segment, point, t) for t, frame in enumerate(true)]
    rows = [
        Row("what happened", data_png(_strip(marked)), sharp=False),
        Row("imagined", data_png(_strip(imagined))),
    ]
    panels = ["what happened", "imagined"]
    films = [marked, [upscale(frame, SCALE) for frame in imagined]]
    if point is not None and future.pixel_maps.shape[2]:
        maps = future.pixel_maps[0, :, point].float().numpy()
        heat = [_marked(start, NO_MAPS, segment, point, 0)]
        for t, frame in enumerate(imagined[1:]):
            heat.append(_marked(frame, maps[t : t + 1], segment, point, t + 1))
        rows.append(Row("pixel map, true place", data_png(_strip(heat)), sharp=False))
        panels.append("pixel map, ring: true place")
        films.append(heat)
    if isinstance(predictor, MotionPredictor):
        batch = batch_of([segment])
        rows += _motion_rows(predictor.motions(predictor.observe(batch.context), batch.actions))
    times = tuple(f"+{t}" if t else "now" for t in range(len(true)))
    return Filmstrip(title, times, tuple(rows), data_animation(films), tuple(panels))


def point_to_show(segment: Segment) -> int | None:
    """Return the number of the point to show; None where a segment has none.

    It is the one on an object that moves farthest, or else the first of the arm or the background.
    """
    on_objects = np.flatnonzero(segment.kinds == KINDS.index("object"))
    if len(on_objects):
        places = segment.places[:, on_objects]
        away_px = np.linalg.norm(places - places[:1], axis=-1).max(0)
        return int(on_objects[away_px.argmax()])
    others = np.flatnonzero(segment.kinds >= 0)
    return int(others[0]) if len(others) else None


def _marked(
    frame: Frame,
    maps: Float[np.ndarray, "p map_h map_w"],
    segment: Segment,
    point: int | None,
    t: int,
) -> Picture:
    """Draw pixel maps over a frame, and a ring where the point truly is after t actions."""
    true = () if point is None else (Pixel(*segment.places[t, point].tolist()),)
    return overlay(frame, maps, true, scale=SCALE)


def _motion_rows(motions: Sequence[AnyMotion]) -> list[Row]:
    """Show the mean flow by colour, and each mask that is used by brightness.

    A flow or mask leads to a frame, so the first column, the start, is left black; a flow of
    pixel maps leads from a frame, so the last one is.
    """
    masks = np.stack([motion.masks[0].float().numpy() for motion in motions])
    flows = [flow_colours(mean_flow(motion)[0].float().numpy()) for motion in motions]
    black = np.zeros_like(flows[0])
    rows = [Row("flow (mean, to the next frame)", data_png(_strip([black, *flows])))]
    forward = [
        flow_colours(motion.forward[0].float().numpy())
        for motion in motions
        if isinstance(motion, Motion) and motion.forward is not None
    ]
    if forward:
        strip = data_png(_strip([*forward, black]))
        rows.append(Row("flow of pixel maps (from this frame)", strip))
    kind = "kernel" if isinstance(motions[0], KernelMotion) else "flow"
    sources = [f"{kind} {number + 1}" for number in range(masks.shape[1] - 3)]
    names = ["first frame", "frame now", *sources, "newly made"]
    for name, mask in zip(names, rearrange(masks, "t m h w -> m t h w"), strict=True):
        if mask.any():  # the predictor uses this source
            brightness = (mask.clip(0, 1) * 255).round().astype(np.uint8)
            grey = np.repeat(brightness[..., None], 3, axis=-1)
            rows.append(Row(f"mask: {name}", data_png(_strip([black, *grey]))))
    return rows


def mean_flow(motion: AnyMotion) -> Float[Tensor, "n 2 h w"]:
    """Return the mean displacement (down, right) over a motion's sources, in pixels.

    Motion is backward: what is at x afterwards was at x + flow(x), so it moved by -flow(x). Of
    a kernel, the mean over its taps counts; what does not move counts as 0.
    """
    weights = rearrange(motion.masks[:, 2:-1], "n k h w -> n k 1 h w")
    return -reduce(weights * _flows(motion), "n k two h w -> n two h w", "sum")


def _flows(motion: AnyMotion) -> Float[Tensor, "n k 2 _ _"]:
    if isinstance(motion, Motion):
        return motion.flows
    num_rows, num_cols = motion.kernels.shape[2:4]
    rows = _offsets(num_rows, motion)
    cols = _offsets(num_cols, motion)
    down = einsum(motion.kernels, rows, "n k u v y x, u -> n k y x")
    right = einsum(motion.kernels, cols, "n k u v y x, v -> n k y x")
    return torch.stack([down, right], 2)


def _offsets(num_taps: int, motion: KernelMotion) -> Float[Tensor, " {num_taps}"]:
    """Return the offsets of a kernel's taps along one axis, in pixels."""
    return motion.spacing_px * (torch.arange(num_taps) - num_taps // 2).to(motion.kernels)


def flow_colours(displacement: Float[np.ndarray, "2 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Show displacements (down, right) in the colours of Baker et al. 2007.

    Red is to the right, white does not move.
    """
    flow = torch.from_numpy(displacement).flip(0)
    flow = flow * (FLOW_PX / flow.norm(dim=0).clamp(min=FLOW_PX))
    # torchvision gives the longest flow of all pictures the full colour: add one of FLOW_PX.
    longest = torch.zeros_like(flow)
    longest[0] = FLOW_PX
    return rearrange(flow_to_image(torch.stack([flow, longest]))[0], "c h w -> h w c").numpy()


def flow_wheel(size: int = 96) -> str:
    """Return the legend of `flow_colours`: a wheel of directions.

    Each place has the colour of the flow that leads there from the middle; the border is
    `FLOW_PX` away from it.
    """
    offsets = np.linspace(-FLOW_PX, FLOW_PX, size, dtype=np.float32)
    down, right = np.meshgrid(offsets, offsets, indexing="ij")
    colours = flow_colours(np.stack([down, right]))
    alpha = np.where(np.hypot(down, right) <= FLOW_PX, 255, 0).astype(np.uint8)
    return _data(Image.fromarray(np.dstack([colours, alpha])), "PNG", optimize=True)


def _strip(frames: Sequence[Frame]) -> UInt8[np.ndarray, "h strip_w 4"]:
    """Put frames of one size side by side, with transparent gaps between them."""
    gap = max(1, frames[0].shape[1] // 64)
    opaque = [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in frames]
    return np.concatenate(
        [np.pad(frame, ((0, 0), (0, gap), (0, 0))) for frame in opaque], axis=1
    )


def data_png(picture: UInt8[np.ndarray, "h w colours"]) -> str:
    """Return a picture as a `data:` URL, lossless."""
    return _data(Image.fromarray(picture), "PNG", optimize=True)


def data_animation(films: Sequence[Sequence[Picture]]) -> str:
    """Return films of one length side by side as an endless animation, lossless WebP."""
    pictures = [Image.fromarray(beside(panels)) for panels in zip(*films, strict=True)]
    durations = [FRAME_MS] * (len(pictures) - 1) + [LAST_FRAME_MS]
    return _data(
        pictures[0],
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        lossless=True,
        method=3,
    )


def _data(image: Image.Image, form: str, **options: object) -> str:
    file = io.BytesIO()
    image.save(file, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
