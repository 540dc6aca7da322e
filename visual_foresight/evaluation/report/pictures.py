"""Pictures of what a predictor imagines, for a page: filmstrips, masks, flows by colour,
animations, the action fan.

A picture is a `data:` address, so that the page needs no other file.
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
FLOW_PX = 4.0
"""A flow of so many pixels, or more, has its full colour."""
MILLISECONDS, LAST_MILLISECONDS = 220, 1200
"""How long a picture of an animation stays."""
NO_MAPS = np.zeros((0, 1, 1), np.float32)


@dataclass(frozen=True)
class Row:
    """A strip of a filmstrip: one picture as wide as all its moments."""

    label: str
    picture: str
    sharp: bool = True
    """Pixels of frames, to be shown as squares; otherwise a drawing."""


@dataclass(frozen=True)
class Filmstrip:
    """One clip: what happened and what was imagined."""

    title: str
    moments: tuple[str, ...]
    rows: tuple[Row, ...]
    animation: str
    panels: tuple[str, ...]
    """What the animation shows, from left to right."""


def filmstrip(
    predictor: Predictor, segment: Segment, future: Prediction, title: str
) -> Filmstrip:
    """Show a clip: truth, imagination, pixel map, and how the pixels were moved where the
    predictor tells.

    Args:
        predictor: what imagined.
        window: what was given, and what happened.
        future: what was imagined of it, n = 1, with frames.
        title: a sentence on the clip.
    """
    point = point_to_show(segment)
    start = segment.frames[-1]
    true = [start, *segment.future]
    imagined = [start, *to_uint8(future.frames[0])]
    told = [_marked(frame, NO_MAPS, segment, point, t) for t, frame in enumerate(true)]
    rows = [
        Row("what happened", data_png(_strip(told)), sharp=False),
        Row("imagined", data_png(_strip(imagined))),
    ]
    panels, films = (
        ["what happened", "imagined"],
        [told, [upscale(frame, SCALE) for frame in imagined]],
    )
    if point is not None and future.pixel_maps.shape[2]:
        maps = future.pixel_maps[0, :, point].float().numpy()
        heat = [_marked(start, NO_MAPS, segment, point, 0)]
        heat += [
            _marked(frame, maps[t : t + 1], segment, point, t + 1)
            for t, frame in enumerate(imagined[1:])
        ]
        rows.append(Row("pixel map, true place", data_png(_strip(heat)), sharp=False))
        panels.append("pixel map, ring: true place")
        films.append(heat)
    if isinstance(predictor, MotionPredictor):
        batch = batch_of([segment])
        rows += _motion_rows(predictor.motions(predictor.observe(batch.context), batch.actions))
    moments = tuple(f"+{t}" if t else "now" for t in range(len(true)))
    return Filmstrip(title, moments, tuple(rows), data_animation(films), tuple(panels))


def point_to_show(segment: Segment) -> int | None:
    """Return the point to show.

    The object's that moves farthest, else the first of the arm or the background.
    """
    on_objects = np.flatnonzero(segment.kinds == KINDS.index("object"))
    if len(on_objects):
        away_px = np.linalg.norm(
            segment.places[:, on_objects] - segment.places[:1, on_objects], axis=-1
        ).max(0)
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

    The first moment has none.
    """
    masks = np.stack([motion.masks[0].float().numpy() for motion in motions])
    kind = "kernel" if isinstance(motions[0], KernelMotion) else "flow"
    flows = [flow_colours(mean_flow(motion)[0].float().numpy()) for motion in motions]
    rows = [
        Row(
            "flow (mean, to the next frame)",
            data_png(_strip([np.zeros_like(flows[0]), *flows])),
        )
    ]
    forward = [
        motion.forward
        for motion in motions
        if isinstance(motion, Motion) and motion.forward is not None
    ]
    if forward:
        flows = [flow_colours(flow[0].float().numpy()) for flow in forward]
        rows.append(
            Row(
                "flow of pixel maps (from this frame)",
                data_png(_strip([*flows, np.zeros_like(flows[0])])),
            )
        )
    names = [
        "first frame",
        "frame now",
        *(f"{kind} {number + 1}" for number in range(masks.shape[1] - 3)),
        "newly made",
    ]
    for name, mask in zip(names, rearrange(masks, "t m h w -> m t h w"), strict=True):
        if not mask.any():
            continue  # a source that this predictor does not use
        grey = np.repeat(
            (mask.clip(0, 1) * 255).round().astype(np.uint8)[..., None], 3, axis=-1
        )
        rows.append(Row(f"mask: {name}", data_png(_strip([np.zeros_like(grey[0]), *grey]))))
    return rows


def mean_flow(motion: AnyMotion) -> Float[Tensor, "n 2 h w"]:
    """Return the displacement (down, right) in pixels of what comes to each place, the mean
    over the motion's sources.

    Motion is backward: what is at x afterwards was at x + flow(x), so it moved by -flow(x); of
    a kernel, the mean over its taps counts. What does not move counts as 0.
    """
    weights = rearrange(motion.masks[:, 2:-1], "n k h w -> n k 1 h w")
    return -reduce(weights * _flows(motion), "n k two h w -> n two h w", "sum")


def _flows(motion: AnyMotion) -> Float[Tensor, "n k 2 _ _"]:
    if isinstance(motion, Motion):
        return motion.flows
    rows, cols = (
        motion.spacing_px * (torch.arange(taps) - taps // 2).to(motion.kernels)
        for taps in motion.kernels.shape[2:4]
    )
    down = einsum(motion.kernels, rows, "n k u v y x, u -> n k y x")
    right = einsum(motion.kernels, cols, "n k u v y x, v -> n k y x")
    return torch.stack([down, right], 2)


def flow_colours(displacement: Float[np.ndarray, "2 h w"]) -> UInt8[np.ndarray, "h w 3"]:
    """Show displacements (down, right) in the colours of Baker et al. 2007.

    Red goes right, white does not move.
    """
    flow = torch.from_numpy(displacement).flip(0)
    flow = flow * (FLOW_PX / flow.norm(dim=0).clamp(min=FLOW_PX))
    # torchvision gives the longest flow of all pictures the full colour
    longest = torch.zeros_like(flow)
    longest[0] = FLOW_PX
    return rearrange(flow_to_image(torch.stack([flow, longest]))[0], "c h w -> h w c").numpy()


def flow_wheel(size: int = 96) -> str:
    """Return the legend of `flow_colours`.

    The colour at each place is that of a displacement from the middle to there.
    """
    offsets = np.linspace(-FLOW_PX, FLOW_PX, size, dtype=np.float32)
    down, right = np.meshgrid(offsets, offsets, indexing="ij")
    colours = flow_colours(np.stack([down, right]))
    alpha = np.where(np.hypot(down, right) <= FLOW_PX, 255, 0).astype(np.uint8)
    return _data(Image.fromarray(np.dstack([colours, alpha])), "PNG", optimize=True)


def _strip(frames: Sequence[Frame]) -> UInt8[np.ndarray, "h strip_w 4"]:
    """Put frames of one size side by side, each with a thin gap behind it through which the page shows."""
    gap = max(1, frames[0].shape[1] // 64)
    opaque = [np.dstack([frame, np.full(frame.shape[:2], 255, np.uint8)]) for frame in frames]
    return np.concatenate(
        [np.pad(frame, ((0, 0), (0, gap), (0, 0))) for frame in opaque], axis=1
    )


def data_png(picture: UInt8[np.ndarray, "h w colours"]) -> str:
    """Return a picture as a `data:` address, lossless."""
    return _data(Image.fromarray(picture), "PNG", optimize=True)


def data_animation(films: Sequence[Sequence[Picture]]) -> str:
    """Return films of one length side by side as an endless animation, lossless WebP."""
    pictures = [Image.fromarray(beside(moment)) for moment in zip(*films, strict=True)]
    stay = [MILLISECONDS] * (len(pictures) - 1) + [LAST_MILLISECONDS]
    return _data(
        pictures[0],
        "WEBP",
        save_all=True,
        append_images=pictures[1:],
        duration=stay,
        loop=0,
        lossless=True,
        method=3,
    )


def _data(image: Image.Image, form: str, **options: object) -> str:
    file = io.BytesIO()
    image.save(file, form, **options)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"
