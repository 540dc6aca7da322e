"""Pictures for people: pixel maps over frames, filmstrips, files on disk.

Pictures are uint8 arrays `h w 3`; nothing here opens a window. A designated pixel is a cyan ring, a
goal pixel a magenta cross: they differ in shape as well as in colour.
"""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import imageio.v3 as imageio
import imageio_ffmpeg
import numpy as np
from einops import repeat
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from visual_foresight.system.files import replacing, require_place
from visual_foresight.types import Pixel, Plan, UserError, to_uint8

Frame = UInt8[np.ndarray, "h w 3"]
Picture = UInt8[np.ndarray, "drawn_h drawn_w 3"]
Strip = UInt8[np.ndarray, "t h w 3"]

SOURCE_COLOUR = (0, 229, 255)
GOAL_COLOUR = (255, 64, 200)
INK = (235, 235, 235)
PAPER = (24, 26, 30)
GAP = 4
"""Space between panels, in screen pixels."""


def upscale(frame: Frame, scale: int) -> Picture:
    """Enlarge a frame by a whole factor, pixels staying sharp squares."""
    return repeat(frame, "h w c -> (h y) (w x) c", y=scale, x=scale)


def overlay(
    frame: Frame,
    pixel_maps: Float[np.ndarray, "p map_h map_w"],
    sources: Sequence[Pixel] = (),
    scale: int = 5,
) -> Picture:
    """Draw pixel maps as heat over an enlarged frame, with rings on top.

    Args:
        frame: what is under the heat.
        pixel_maps: distributions on a grid that covers the frame exactly and may be coarser;
            each is shown relative to its own largest value, so that a blurred map is as visible
            as a sharp one. p = 0 shows none.
        sources: designated pixels, rings; in pixels of `frame`.
        scale: how many times larger the picture is.
    """
    picture = upscale(frame, scale)
    height, width, _ = picture.shape
    for pixel_map in pixel_maps:
        share = np.clip(pixel_map / max(float(pixel_map.max()), 1e-12), 0, 1).astype(np.float32)
        heat = cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR)
        # the lower part of the colour map is black, which would look like a shadow
        glow = (110 + 145 * heat).round().astype(np.uint8)
        colours = cv2.applyColorMap(glow, cv2.COLORMAP_HOT)[..., ::-1]
        weight = 0.85 * heat[..., None] ** 0.6
        picture = (picture * (1 - weight) + colours * weight).round().astype(np.uint8)
    return mark(picture, sources, (), scale)


def mark(
    picture: Picture, sources: Sequence[Pixel], targets: Sequence[Pixel], scale: int
) -> Picture:
    """Draw rings and crosses with a dark outline, so that they show on any background.

    Args:
        picture: a frame, `scale` times as large.
        sources: designated pixels, rings; in pixels of the frame.
        targets: goal pixels, crosses; likewise.
        scale: how many times larger than the frame the picture is.
    """
    marked = picture.copy()
    radius = max(2, round(1.6 * scale))
    outline = max(3, scale)
    line = max(1, scale // 2)
    for source_colour, goal_colour, thickness in (
        ((0, 0, 0), (0, 0, 0), outline),
        (SOURCE_COLOUR, GOAL_COLOUR, line),
    ):
        for pixel in sources:
            centre = _centre(pixel, scale)
            cv2.circle(marked, centre, radius, source_colour, thickness, cv2.LINE_AA)
        for pixel in targets:
            col, row = _centre(pixel, scale)
            for side in (-1, 1):
                start = (col - radius, row - side * radius)
                end = (col + radius, row + side * radius)
                cv2.line(marked, start, end, goal_colour, thickness, cv2.LINE_AA)
    return marked


def _centre(pixel: Pixel, scale: int) -> tuple[int, int]:
    """Return the centre (column, row) of a frame's pixel in the enlarged picture."""
    col = round((pixel.col + 0.5) * scale - 0.5)
    row = round((pixel.row + 0.5) * scale - 0.5)
    return col, row


def label(picture: Frame, text: str) -> Picture:
    """Put a thin bar with a line of text above a picture.

    The text shrinks until it fits, then it is cut.
    """
    size = 15
    while size > 8 and _font(size).getlength(text) > picture.shape[1] - 8:
        size -= 1
    bar = Image.new("RGB", (picture.shape[1], 22), PAPER)
    ImageDraw.Draw(bar).text((5, 11), text, fill=INK, font=_font(size), anchor="lm")
    return np.concatenate([np.asarray(bar, dtype=np.uint8), picture])


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def filmstrip(
    rows: Sequence[UInt8[np.ndarray, "_ h w 3"]], labels: Sequence[str], scale: int = 2
) -> Picture:
    """Lay out rows of frames, time to the right, each row under its label.

    Shorter rows end early.

    Args:
        rows: frames of one size, one strip per row.
        labels: one line of text per row.
        scale: how many times larger the frames are shown.
    """
    if not rows or len(rows) != len(labels):
        raise ValueError(
            f"one label per row, and at least one row: {len(rows)} rows, {len(labels)} labels"
        )
    strips = [
        np.concatenate([_framed(upscale(frame, scale)) for frame in row], axis=1)
        for row in rows
    ]
    width = max(strip.shape[1] for strip in strips)
    return np.concatenate(
        [label(_widen(strip, width), text) for strip, text in zip(strips, labels, strict=True)]
    )


def _framed(picture: Frame) -> Picture:
    """Add half a gap of paper on every side."""
    edge = GAP // 2
    return cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=PAPER)


def _widen(picture: Frame, width: int) -> Picture:
    return cv2.copyMakeBorder(
        picture, 0, 0, 0, width - picture.shape[1], cv2.BORDER_CONSTANT, value=PAPER
    )


def beside(pictures: Sequence[Frame]) -> Picture:
    """Put pictures of one height side by side, a gap between them."""
    gap = np.full((pictures[0].shape[0], GAP, 3), PAPER, dtype=np.uint8)
    spaced = [part for picture in pictures for part in (gap, picture)][1:]
    return np.concatenate(spaced, axis=1)


def imagined(plan: Plan, step: int, otherwise: Frame, number: int = 0) -> Frame:
    """Return an imagined frame of the plan (number 0) or of a runner-up.

    Where frames were not decoded, return `otherwise`.
    """
    frames: Tensor = plan.prediction.frames
    return to_uint8(frames[number, step]) if frames.shape[1] else otherwise


def maps_of(plan: Plan, step: int, number: int = 0) -> Float[np.ndarray, "p map_h map_w"]:
    """Return the pixel maps of the plan (number 0) or of a runner-up after a step."""
    return plan.prediction.pixel_maps[number, step].detach().float().cpu().numpy()


def write_png(path: Path, picture: Picture) -> None:
    """Write a picture, whole or not at all."""
    with replacing(path) as temporary:
        imageio.imwrite(temporary, picture, plugin="pillow", extension=".png")


def require_animation(path: Path) -> None:
    """Find out before the work, not after it, that an animation cannot be written.

    Args:
        path: of the animation; its folder is made as needed.

    Raises:
        UserError: the suffix is no animation's, the place cannot be written to, or MP4 is wanted
            and there is no ffmpeg that runs.
    """
    _require_suffix(path)
    require_place(path, "the animation")
    if path.suffix.lower() == ".gif":
        return
    program = os.environ.get("IMAGEIO_FFMPEG_EXE", "")
    try:
        program = imageio_ffmpeg.get_ffmpeg_exe()
        subprocess.run([program, "-version"], check=True, capture_output=True, timeout=60)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        named = (
            f" {program!r} of IMAGEIO_FFMPEG_EXE" if "IMAGEIO_FFMPEG_EXE" in os.environ else ""
        )
        raise UserError(
            f"an MP4 needs the program ffmpeg, and{named or ' it'} cannot be run ({error}): "
            "write a .gif, or mend that"
        ) from error


def _require_suffix(path: Path) -> None:
    if path.suffix.lower() not in (".gif", ".mp4"):
        raise UserError(
            f"an animation is written as .gif or .mp4, got {path.name!r}: change the suffix"
        )


def write_animation(path: Path, frames: Strip, fps: float = 8) -> None:
    """Write an endless GIF or an MP4, as the suffix says, whole or not at all.

    An MP4 is H.264; its sides are padded to even numbers.

    Raises:
        UserError: it cannot be written: see `require_animation`.
    """
    require_animation(path)
    with replacing(path) as temporary:
        if path.suffix.lower() == ".gif":
            imageio.imwrite(
                temporary,
                frames,
                plugin="pillow",
                extension=".gif",
                duration=1000 / fps,
                loop=0,
            )
        else:
            odd = [(0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)]
            even = np.pad(frames, odd, mode="edge")
            imageio.imwrite(
                temporary, even, plugin="FFMPEG", extension=".mp4", fps=fps, macro_block_size=2
            )
