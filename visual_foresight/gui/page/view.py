"""Screen (x, y) and Pixel: the only place that knows both. Pure arithmetic.

A frame is drawn into a rectangle of any size. Its x and y, here, run from 0 to 1 over that
rectangle, right and down, so that neither zoom nor window nor the resolution of what is drawn
in it plays a part.
"""

from visual_foresight.types import Pixel


def to_pixel(x: float, y: float, frame_size: tuple[int, int]) -> Pixel | None:
    """Return the pixel of the frame at a place on the screen; None outside.

    Args:
        x: share of the rectangle's width, from its left edge.
        y: share of its height, from its top edge.
        frame_size: (height, width) in pixels.
    """
    height, width = frame_size
    if not (0 <= x <= 1 and 0 <= y <= 1):  # not a number is outside, too
        return None
    # The right and bottom edges themselves belong to the last pixels.
    return Pixel(float(min(int(y * height), height - 1)), float(min(int(x * width), width - 1)))


def to_screen(pixel: Pixel, frame_size: tuple[int, int]) -> tuple[float, float]:
    """Return (x, y) of a pixel's centre."""
    height, width = frame_size
    return (pixel.col + 0.5) / width, (pixel.row + 0.5) / height


def moved(
    pixel: Pixel, key: str, frame_size: tuple[int, int], distance: int = 1
) -> Pixel | None:
    """Return where an arrow key takes a pixel, staying in the frame; None for any other key."""
    ways = {"ArrowLeft": (0, -1), "ArrowRight": (0, 1), "ArrowUp": (-1, 0), "ArrowDown": (1, 0)}
    if key not in ways:
        return None
    down, right = ways[key]
    height, width = frame_size
    row, col = pixel.row + distance * down, pixel.col + distance * right
    return Pixel(min(max(row, 0.0), height - 1.0), min(max(col, 0.0), width - 1.0))
