"""Screen coordinates (x, y) and pixels (row, col): the only module that knows both.

A frame is drawn into a rectangle of any size. Its x and y run from 0 to 1 over that rectangle,
right and down, so that zoom, window and resolution do not matter.
"""

from visual_foresight.types import Pixel

ARROWS = {"ArrowLeft": (0, -1), "ArrowRight": (0, 1), "ArrowUp": (-1, 0), "ArrowDown": (1, 0)}
"""The rows and columns by which an arrow key moves."""


def to_pixel(x: float, y: float, frame_size: tuple[int, int]) -> Pixel | None:
    """Return the pixel of the frame at a place on the screen; None outside, and for NaN.

    Args:
        x: share of the rectangle's width, from its left edge.
        y: share of its height, from its top edge.
        frame_size: (height, width) in pixels.
    """
    height, width = frame_size
    if not (0 <= x <= 1 and 0 <= y <= 1):
        return None
    # The right and bottom edges themselves belong to the last pixels.
    row = min(int(y * height), height - 1)
    col = min(int(x * width), width - 1)
    return Pixel(float(row), float(col))


def to_screen(pixel: Pixel, frame_size: tuple[int, int]) -> tuple[float, float]:
    """Return (x, y) of a pixel's centre."""
    height, width = frame_size
    return (pixel.col + 0.5) / width, (pixel.row + 0.5) / height


def moved(
    pixel: Pixel, key: str, frame_size: tuple[int, int], distance: int = 1
) -> Pixel | None:
    """Return the pixel to which an arrow key moves, within the frame; None for any other key."""
    if key not in ARROWS:
        return None
    down, right = ARROWS[key]
    height, width = frame_size
    row = pixel.row + distance * down
    col = pixel.col + distance * right
    return Pixel(min(max(row, 0.0), height - 1.0), min(max(col, 0.0), width - 1.0))
