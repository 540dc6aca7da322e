"""Screen (x, y) and pixels."""

import pytest

from visual_foresight.gui.page.screen import moved, to_pixel, to_screen
from visual_foresight.types import Pixel

SIZE = (20, 28)


def test_corners_and_edges_belong_to_the_outermost_pixels():
    assert to_pixel(0, 0, SIZE) == Pixel(0, 0)
    assert to_pixel(1, 0, SIZE) == Pixel(0, 27)
    assert to_pixel(0, 1, SIZE) == Pixel(19, 0)
    assert to_pixel(1, 1, SIZE) == Pixel(19, 27)
    assert to_pixel(27 / 28, 0.5, SIZE) == Pixel(10, 27), (
        "an edge between two pixels belongs to the latter"
    )


@pytest.mark.parametrize(
    ("x", "y"), [(-0.001, 0.5), (0.5, 1.001), (float("nan"), 0.5), (0.5, float("inf"))]
)
def test_outside_is_nowhere(x, y):
    assert to_pixel(x, y, SIZE) is None


def test_the_centre_of_every_pixel_comes_back():
    for row in range(SIZE[0]):
        for col in range(SIZE[1]):
            x, y = to_screen(Pixel(row, col), SIZE)
            assert to_pixel(x, y, SIZE) == Pixel(row, col)


def test_arrow_keys_stay_in_the_frame():
    assert moved(Pixel(3, 4), "ArrowUp", SIZE) == Pixel(2, 4)
    assert moved(Pixel(3, 4), "ArrowRight", SIZE, 8) == Pixel(3, 12)
    assert moved(Pixel(3, 4), "ArrowLeft", SIZE, 8) == Pixel(3, 0)
    assert moved(Pixel(19, 4), "ArrowDown", SIZE) == Pixel(19, 4)
    assert moved(Pixel(3, 4), "x", SIZE) is None
