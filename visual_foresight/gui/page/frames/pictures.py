"""Frames as data URLs, and the goal's markers as SVG.

The markup is made of numbers only: no text of a user enters it.
"""

import base64
from collections.abc import Sequence

import cv2
import numpy as np

from visual_foresight.gui.page.frames.marks import Marks
from visual_foresight.gui.page.frames.screen import to_screen
from visual_foresight.gui.page.layers.colours import colour_of
from visual_foresight.gui.page.layers.tint import tinted
from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.state import Frame
from visual_foresight.types import Pixel, Plan
from visual_foresight.vision.drawing import Picture, imagined, maps_of

SIDE = 1000
"""The longer side of the markers' SVG, in its own units, whatever the frame's size."""
PNG_UP_TO = 256
"""Pictures higher than this are sent as JPEG, since they are renders; frames stay sharp."""
RING = 19
"""Radius of a designated pixel's marker, in the SVG's units."""
SQUARE = 16
"""Half the side of the marker of what is to keep still, likewise."""
CROSS = 17
"""Half the side of a goal pixel's marker, likewise."""
POINT = 5
"""Radius of a recorded point's mark, likewise."""
ARROW_HEAD = (
    '<defs><marker id="{name}" viewBox="0 0 10 10" refX="16" refY="5" markerWidth="5" '
    'markerHeight="5" orient="auto-start-reverse">'
    '<path class="arrow-head" d="M0 1 L9 5 L0 9 z"/></marker></defs>'
)
MARK = "mark"
"""Class of what can be taken hold of."""
SIGN = "sign"
"""Class of what only shows."""


def data_url(picture: Picture) -> str:
    """Return a picture as a data URL."""
    is_small = picture.shape[0] <= PNG_UP_TO
    suffix = ".png" if is_small else ".jpg"
    kind = "png" if is_small else "jpeg"
    data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]))[1]
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"


def shape_style(frame_size: tuple[int, int]) -> str:
    """Return the style that gives an element of the class `frame` a frame's shape.

    Args:
        frame_size: (height, width) in pixels.
    """
    rows, columns = frame_size
    return f"--rows: {rows}; --columns: {columns}"


def prediction_picture(plan: Plan, step: int, fallback: Frame, rank: int = 0) -> Picture:
    """Draw an imagined frame, with the pixel maps of the designated pixels as heat over it.

    Args:
        plan: with or without decoded frames.
        step: how far ahead; 0 is after the first action.
        fallback: the frame to draw on where none were decoded.
        rank: 0 for the plan itself, 1 for its first runner-up, ...
    """
    frame = imagined(plan, step, fallback, rank)
    return tinted(frame, maps_of(plan, step, rank), scale=2)


def markers(
    draft: Draft,
    cursor: Pixel | None,
    frame_size: tuple[int, int],
    points: Sequence[Pixel] = (),
) -> str:
    """Draw the goal as SVG, to be made and changed.

    Args:
        draft: the pairs of pixels.
        cursor: the keyboard's cursor, drawn as a thin cross-hair.
        frame_size: (height, width) in pixels.
        points: recorded ones, small and faint beneath the goal.
    """
    parts = "".join(_point(point, frame_size) for point in points)
    parts += _pairs(draft, frame_size, MARK)
    if cursor is not None:
        width, height = _extent(frame_size)
        x, y = _units(cursor, frame_size)
        place = f'data-x="{x / width:.4f}" data-y="{y / height:.4f}"'
        parts += f'<path class="cursor" {place} d="M{x} 0 V{height} M0 {y} H{width}"/>'
    return _svg(parts, frame_size)


def signs(marks: Marks, frame_size: tuple[int, int]) -> str:
    """Draw a goal as SVG, only to be seen.

    Args:
        marks: what lies over the frame.
        frame_size: (height, width) in pixels.
    """
    parts = _pairs(marks.draft, frame_size, SIGN)
    parts += "".join(_cross(target, frame_size, SIGN) for target in marks.targets)
    return _svg(f'<g class="past">{parts}</g>' if marks.is_past else parts, frame_size)


def _point(point: Pixel, frame_size: tuple[int, int]) -> str:
    x, y = _units(point, frame_size)
    return f'<circle class="recorded-point" cx="{x}" cy="{y}" r="{POINT}"/>'


def _svg(parts: str, frame_size: tuple[int, int]) -> str:
    width, height = _extent(frame_size)
    return f'<svg viewBox="0 0 {width} {height}">{parts}</svg>'


def _pairs(draft: Draft, frame_size: tuple[int, int], kind: str) -> str:
    """Draw pairs of pixels.

    A designated pixel is a ring, its goal pixel a cross, an arrow between them; what is to keep
    still is a square.
    """
    head = ARROW_HEAD.format(name=f"arrow-of-{kind}")
    pairs = (_pair(n, pair, frame_size, kind) for n, pair in enumerate(draft.pairs))
    return head + "".join(pairs)


def _pair(number: int, pair: Pair, frame_size: tuple[int, int], kind: str) -> str:
    x, y = _units(pair.source, frame_size)
    name = f' data-pair="{number}"' if kind == MARK else ""
    if pair.keeps_still:
        return (
            f'<rect class="{kind} keep"{name} x="{x - SQUARE}" y="{y - SQUARE}" '
            f'width="{2 * SQUARE}" height="{2 * SQUARE}"/>'
        )
    ring = f'cx="{x}" cy="{y}" r="{RING}"'
    source = (
        f'<circle class="mark-outline" {ring}/><circle class="{kind} source"{name} {ring} '
        f'style="stroke:{colour_of(number)}"/>'
    )
    if pair.target is None:
        return source
    u, v = _units(pair.target, frame_size)
    arrow = (
        f'<line class="{kind} arrow" x1="{x}" y1="{y}" x2="{u}" y2="{v}" '
        f'marker-end="url(#arrow-of-{kind})"/>'
    )
    return arrow + _cross(pair.target, frame_size, kind, name) + source


def _cross(target: Pixel, frame_size: tuple[int, int], kind: str, name: str = "") -> str:
    u, v = _units(target, frame_size)
    side = 2 * CROSS
    cross = f"M{u - CROSS} {v - CROSS} l{side} {side} m0 -{side} l-{side} {side}"
    return (
        f'<path class="mark-outline" d="{cross}"/>'
        f'<path class="{kind} target"{name} d="{cross}"/>'
    )


def _units(pixel: Pixel, frame_size: tuple[int, int]) -> tuple[float, float]:
    width, height = _extent(frame_size)
    x, y = to_screen(pixel, frame_size)
    return round(width * x, 2), round(height * y, 2)


def _extent(frame_size: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the markers' SVG, in its own units."""
    rows, columns = frame_size
    longer = max(rows, columns)
    return round(SIDE * columns / longer), round(SIDE * rows / longer)
