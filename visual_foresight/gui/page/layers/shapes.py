"""Shapes over a frame as SVG, whose unit is a pixel of the frame.

The markup is made of numbers and of this package's own words: no text of a user enters it. Lines
are as wide on a large frame as on a small one (`non-scaling-stroke` in layers.css).
"""

import base64
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Float, Int

from visual_foresight.gui.page.layers.colours import channels
from visual_foresight.types import Pixel
from visual_foresight.vision.spread import Ellipse

STRONGEST = 0.85
"""How much of the frame the heat hides where a map is densest."""
GAMMA = 0.6
"""Below 1, faint parts of a map are seen, too."""
HEAD = 0.028
"""Length of an arrow's head, as a share of the frame's longer side."""
HALF_ANGLE = 0.5
"""Between an arrow's shaft and each side of its head, in radians."""


def canvas(shapes: Iterable[str], frame_size: tuple[int, int]) -> str:
    """Return shapes as an SVG that fills a frame.

    Args:
        shapes: the lowest first.
        frame_size: (height, width) in pixels.
    """
    height, width = frame_size
    return (
        f'<svg viewBox="-0.5 -0.5 {width} {height}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(shapes)}</svg>'
    )


def opacity(
    pixel_map: Float[np.ndarray, "map_h map_w"],
) -> Float[np.ndarray, "map_h map_w"]:
    """Return how much of the frame a map hides, relative to its own largest value."""
    share = (pixel_map / max(float(pixel_map.max()), 1e-12)).clip(0, 1)
    return STRONGEST * share**GAMMA


def heat(
    pixel_map: Float[np.ndarray, "map_h map_w"], colour: str, frame_size: tuple[int, int]
) -> str:
    """Draw a distribution relative to its own largest value, in one colour."""
    red, green, blue = channels(colour)
    picture = np.empty((*pixel_map.shape, 4), np.uint8)
    picture[..., :3] = blue, green, red  # OpenCV's order
    picture[..., 3] = np.round(255 * opacity(pixel_map))
    png = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
    height, width = frame_size
    return (
        f'<image class="heat" x="-0.5" y="-0.5" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{png}"/>'
    )


def region(
    rings: Sequence[Int[np.ndarray, "_ 2"]],
    grid_size: tuple[int, int],
    frame_size: tuple[int, int],
    kind: str,
    colour: str,
) -> str:
    """Draw closed lines around cells of a grid that covers the frame (`vision.regions.outline`)."""
    cell = np.array(frame_size) / np.array(grid_size)
    path = "".join(f"M{_joined(ring * cell - 0.5)}Z" for ring in rings)
    return _outlined(path, kind, colour) if path else ""


def line(places: Float[np.ndarray, "t 2"], kind: str, colour: str) -> str:
    """Draw a line through places (row, col)."""
    return _outlined(f"M{_joined(places)}", kind, colour) if len(places) > 1 else ""


def thin_line(places: Float[np.ndarray, "t 2"], kind: str, colour: str) -> str:
    """Draw a line without the dark outline that shows it on any ground."""
    return f'<path class="{kind}" d="M{_joined(places)}" style="stroke:{colour}"/>'


def arrow(
    start: Float[np.ndarray, "2"],
    end: Float[np.ndarray, "2"],
    kind: str,
    colour: str,
    frame_size: tuple[int, int],
) -> str:
    """Draw an arrow between places (row, col); its head is no longer than itself."""
    length = float(np.linalg.norm(end - start))
    if not length:
        return ""
    head = min(HEAD * max(frame_size), length)
    back = np.arctan2(start[0] - end[0], start[1] - end[1])
    sides = [
        end + head * np.array([np.sin(back + angle), np.cos(back + angle)])
        for angle in (HALF_ANGLE, -HALF_ANGLE)
    ]
    path = f"M{_joined(np.stack([start, end]))}M{_joined(np.stack([sides[0], end, sides[1]]))}"
    return _outlined(path, kind, colour)


def dot(place: Pixel, kind: str, colour: str, frame_size: tuple[int, int]) -> str:
    """Draw a dot at a place."""
    radius = _number(0.011 * max(frame_size))
    return (
        f'<circle class="{kind} dot-of-layer" cx="{_number(place.col)}" '
        f'cy="{_number(place.row)}" r="{radius}" style="fill:{colour}"/>'
    )


def spread(ellipse: Ellipse, kind: str, colour: str) -> str:
    """Draw an ellipse."""
    x, y = _number(ellipse.centre.col), _number(ellipse.centre.row)
    turn = _number(np.degrees(ellipse.angle))
    return (
        f'<ellipse class="{kind}" cx="{x}" cy="{y}" rx="{_number(ellipse.longer)}" '
        f'ry="{_number(ellipse.shorter)}" transform="rotate({turn} {x} {y})" '
        f'style="stroke:{colour}"/>'
    )


def _outlined(path: str, kind: str, colour: str) -> str:
    """Return a path over a darker and wider one, which shows it on any ground."""
    return (
        f'<path class="{kind} under" d="{path}"/>'
        f'<path class="{kind}" d="{path}" style="stroke:{colour}"/>'
    )


def _joined(places: np.ndarray) -> str:
    """Return places (row, col) as SVG writes them: x, then y."""
    return "L".join(f"{_number(col)} {_number(row)}" for row, col in places.tolist())


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
