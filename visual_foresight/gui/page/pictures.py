"""State into what a page shows.

Pictures as data addresses, markers and curves as SVG, made of numbers only.
"""

import base64
from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from jaxtyping import UInt8

from visual_foresight.gui.page.view import to_screen
from visual_foresight.gui.session.goals import Draft
from visual_foresight.types import Pixel, Plan
from visual_foresight.vision.drawing import imagined, maps_of, overlay

Frame = UInt8[np.ndarray, "h w 3"]
SIDE = 1000
"""Units across an overlay's SVG, whatever is below."""
COLOURS = ("var(--line-1)", "var(--line-2)", "var(--line-3)")


def address(picture: Frame) -> str:
    """Return a picture as a data address: PNG for what is small, JPEG for renders."""
    suffix, kind = (".png", "png") if picture.shape[0] <= 256 else (".jpg", "jpeg")
    data = cv2.imencode(suffix, np.ascontiguousarray(picture[..., ::-1]))[1]
    return f"data:image/{kind};base64,{base64.b64encode(data.tobytes()).decode()}"


def believed(plan: Plan, imagined_step: int, otherwise: Frame, number: int = 0) -> Frame:
    """Return what a plan is imagined to show at a moment, the places of the designated pixels
    as heat over it.

    Args:
        plan: or one of its runners-up.
        moment: 0 after the first action.
        otherwise: shown below the heat where frames were not imagined.
        number: 0 for the plan itself, 1 for its first runner-up, ...
    """
    return overlay(
        imagined(plan, imagined_step, otherwise, number),
        maps_of(plan, imagined_step, number),
        scale=2,
    )


def markers(draft: Draft, cursor: Pixel | None, frame_size: tuple[int, int]) -> str:
    """Draw pairs of pixels: ring, arrow and cross; a square keeps still; the keyboard's cursor is a thin cross-hair."""
    parts = [_DEFINITIONS]
    for number, pair in enumerate(draft.pairs):
        x, y = _units(pair.source, frame_size)
        if pair.keeps_still:
            parts.append(
                f'<rect class="mark keep" data-pair="{number}" x="{x - 16}" y="{y - 16}" width="32" height="32"/>'
            )
            continue
        if pair.target is not None:
            u, v = _units(pair.target, frame_size)
            parts.append(
                f'<line class="mark arrow" x1="{x}" y1="{y}" x2="{u}" y2="{v}" marker-end="url(#tip)"/>'
            )
            cross = f"M{u - 17} {v - 17} l34 34 m0 -34 l-34 34"
            parts.append(
                f'<path class="rim" d="{cross}"/><path class="mark target" data-pair="{number}" d="{cross}"/>'
            )
        ring = f'cx="{x}" cy="{y}" r="19"'
        parts.append(
            f'<circle class="rim" {ring}/><circle class="mark source" data-pair="{number}" {ring}/>'
        )
    if cursor is not None:
        x, y = _units(cursor, frame_size)
        parts.append(f'<path class="cursor" d="M{x} 0 V{SIDE} M0 {y} H{SIDE}"/>')
    return "".join(parts)


_DEFINITIONS = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="16" refY="5" markerWidth="5" markerHeight="5" '
    'orient="auto-start-reverse"><path d="M0 1 L9 5 L0 9 z" class="tip"/></marker></defs>'
)


def _units(pixel: Pixel, frame_size: tuple[int, int]) -> tuple[float, float]:
    x, y = to_screen(pixel, frame_size)
    return round(SIDE * x, 2), round(SIDE * y, 2)


def curves(
    title: str, unit: str, series: Mapping[str, Sequence[float]], at: int | None = None
) -> str:
    """Draw curves over steps 0, 1, 2, ... with a legend, the largest value and the newest ones
    written out.

    Args:
        title: what is shown.
        unit: of the values.
        series: name -> values; empty ones are left out.
        at: a step to point at.
    """
    drawn = {name: values for name, values in series.items() if len(values)}
    if not drawn:
        return f'<figure class="plot"><figcaption>{title}</figcaption><p class="empty">nothing yet</p></figure>'
    top = max(max(values) for values in drawn.values()) or 1.0
    last = max(max(len(values) for values in drawn.values()) - 1, 1)
    lines, legend = [], []
    for colour, (name, values) in zip(COLOURS, drawn.items(), strict=False):
        points = " ".join(
            f"{_across(step, last)},{_up(value, top)}" for step, value in enumerate(values)
        )
        lines.append(f'<polyline points="{points}" style="stroke:{colour}"/>')
        lines += [
            f'<circle cx="{_across(step, last)}" cy="{_up(value, top)}" r="2.2" style="fill:{colour}"/>'
            for step, value in enumerate(values)
        ]
        legend.append(
            f'<span><i style="background:{colour}"></i>{name} <b>{values[-1]:.3g}</b> {unit}</span>'
        )
    if at is not None:
        lines.append(
            f'<line class="at" x1="{_across(at, last)}" x2="{_across(at, last)}" y1="8" y2="100"/>'
        )
    frame = '<path class="axis" d="M40 8 V100 H392"/>'
    ticks = f'<text x="36" y="14" class="end">{top:.3g}</text><text x="36" y="100" class="end">0</text>'
    ticks += f'<text x="40" y="114">0</text><text x="392" y="114" class="end">{last}</text>'
    return (
        f'<figure class="plot"><figcaption>{title}</figcaption><svg viewBox="0 0 400 118">{frame}{ticks}'
        f'{"".join(lines)}</svg><p class="legend">{"".join(legend)}</p></figure>'
    )


def _across(step: int, last: int) -> float:
    return round(40 + 352 * step / last, 1)


def _up(value: float, top: float) -> float:
    return round(100 - 92 * max(value, 0.0) / top, 1)
