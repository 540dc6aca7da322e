"""Screen (x, y) and pixels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_foresight.gui.page.frames.screen import ARROWS, moved, to_pixel, to_screen
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


SIZES = st.tuples(st.integers(1, 300), st.integers(1, 300))
SHARES = st.floats(0, 1)


@given(SIZES, SHARES, SHARES)
def test_every_place_in_the_rectangle_is_in_the_pixel_that_it_hits(size, x, y):
    pixel = to_pixel(x, y, size)
    assert pixel is not None and pixel.inside(*size)
    centre_x, centre_y = to_screen(pixel, size)
    assert abs(centre_x - x) <= 0.5 / size[1] + 1e-9
    assert abs(centre_y - y) <= 0.5 / size[0] + 1e-9
    assert to_pixel(centre_x, centre_y, size) == pixel


@given(SIZES, SHARES, SHARES)
def test_the_centre_of_any_pixel_of_any_frame_comes_back(size, down, right):
    pixel = Pixel(int(down * (size[0] - 1)), int(right * (size[1] - 1)))
    x, y = to_screen(pixel, size)
    assert 0 < x < 1 and 0 < y < 1
    assert to_pixel(x, y, size) == pixel


@given(SIZES, SHARES, SHARES, st.sampled_from(sorted(ARROWS)), st.integers(0, 20))
def test_arrow_keys_lead_along_one_axis_and_never_out(size, x, y, key, distance):
    pixel = to_pixel(x, y, size)
    assert pixel is not None
    there = moved(pixel, key, size, distance)
    assert there is not None and there.inside(*size)
    assert there.row == pixel.row or there.col == pixel.col
    assert there.distance(pixel) <= distance
