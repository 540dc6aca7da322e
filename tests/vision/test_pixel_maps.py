"""Pixels to maps and back, on grids that are coarser than the frame and not square."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from visual_foresight.types import Pixel
from visual_foresight.vision.pixel_maps import (
    centres,
    expected,
    expected_places,
    grid,
    map_size_of,
    mode,
    splat,
    splat_places,
)


def test_centres_lie_where_cells_cover_the_frame():
    assert centres(4, 8).tolist() == [0.5, 2.5, 4.5, 6.5]
    assert centres(5, 5).tolist() == [0, 1, 2, 3, 4]


def test_a_pixel_at_a_centre_fills_one_cell():
    maps = splat((Pixel(2.5, 10.0),), (4, 6), (8, 18))
    assert maps.shape == (1, 4, 6)
    assert maps[0, 1, 3] == 1
    assert maps.sum() == 1


@pytest.mark.parametrize("map_size", [(12, 20), (6, 10), (3, 4), (5, 7)])
def test_splat_keeps_the_expected_position(map_size):
    pixels = (Pixel(3.3, 7.9), Pixel(8.25, 2.6), Pixel(5.0, 16.4))
    maps = splat(pixels, map_size, (12, 20))
    assert torch.allclose(maps.sum((1, 2)), torch.ones(3))
    assert (maps >= 0).all()
    for pixel, found in zip(pixels, expected(maps, (12, 20)), strict=True):
        assert found.distance(pixel) < 1e-5


def test_a_pixel_beyond_the_outermost_centres_fills_the_outermost_cell():
    maps = splat((Pixel(-5.0, 40.0),), (3, 4), (12, 20))
    assert maps[0, 0, 3] == 1


def test_the_expected_place_keeps_its_fraction_of_a_pixel_in_bfloat16():
    places = torch.tensor([[20.3, 41.7], [55.1, 60.9]])
    with torch.autocast("cpu", torch.bfloat16):
        found = expected_places(splat_places(places, (32, 32), (64, 64)), (64, 64))
    torch.testing.assert_close(found, places, atol=1e-4, rtol=0)


def test_mode_is_the_centre_of_the_likeliest_cell():
    maps = torch.full((1, 3, 4), 0.05)
    maps[0, 2, 1] = 0.45
    assert mode(maps, (12, 20)) == (Pixel(9.5, 7.0),)


def test_the_expected_place_has_the_gradient_of_its_place_even_at_the_centre_of_a_cell():
    place = torch.tensor([2.5, 10.0], requires_grad=True)
    expected_places(splat_places(place, (4, 6), (8, 18)), (8, 18)).sum().backward()
    assert place.grad is not None and place.grad.tolist() == [1, 1]


def test_the_grid_of_a_map_as_large_as_the_frame_is_its_pixels_exactly():
    for size in ((64, 64), (48, 64), (49, 37), (3, 97)):
        rows, cols = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
        assert torch.equal(grid(size, size), torch.stack([rows, cols], -1).float())
    assert grid((2, 2), (4, 8))[1, 0].tolist() == [2.5, 1.5]


@st.composite
def maps_and_frames(draw: st.DrawFn) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return sizes of maps, of frames that are no smaller, both of any shape."""
    map_size = (draw(st.integers(1, 16)), draw(st.integers(1, 16)))
    return map_size, (
        draw(st.integers(map_size[0], 64)),
        draw(st.integers(map_size[1], 64)),
    )


SHARES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=4)


@given(maps_and_frames(), SHARES)
def test_between_the_outermost_centres_the_expected_place_is_the_place(
    sizes: tuple[tuple[int, int], tuple[int, int]], shares: list[tuple[float, float]]
) -> None:
    map_size, frame_size = sizes
    first = grid(map_size, frame_size)[0, 0]
    last = grid(map_size, frame_size)[-1, -1]
    places = first + torch.tensor(shares) * (last - first)
    found = expected_places(splat_places(places, map_size, frame_size), frame_size)
    torch.testing.assert_close(found, places, atol=1e-4, rtol=0)


@given(maps_and_frames(), st.floats(-200, 200), st.floats(-200, 200))
def test_a_map_is_a_distribution_over_at_most_four_cells_wherever_its_place(
    sizes: tuple[tuple[int, int], tuple[int, int]], row: float, col: float
) -> None:
    map_size, frame_size = sizes
    map_ = splat_places(torch.tensor([row, col]), map_size, frame_size)
    assert tuple(map_.shape) == map_size
    assert map_.min() >= 0 and (map_ > 0).sum() <= 4
    assert map_.sum().item() == pytest.approx(1, abs=1e-5)
    first = grid(map_size, frame_size)[0, 0]
    last = grid(map_size, frame_size)[-1, -1]
    nearest = torch.tensor([row, col]).clamp(first, last)
    torch.testing.assert_close(expected_places(map_, frame_size), nearest, atol=1e-4, rtol=0)


@given(maps_and_frames(), SHARES)
def test_pixels_are_splatted_as_their_places_are(
    sizes: tuple[tuple[int, int], tuple[int, int]], shares: list[tuple[float, float]]
) -> None:
    map_size, (height, width) = sizes
    pixels = tuple(Pixel(row * (height - 1), col * (width - 1)) for row, col in shares)
    places = torch.tensor([[pixel.row, pixel.col] for pixel in pixels])
    maps = splat(pixels, map_size, (height, width))
    assert torch.equal(maps, splat_places(places, map_size, (height, width)))
    for pixel, likeliest in zip(pixels, mode(maps, (height, width)), strict=True):
        assert abs(likeliest.row - pixel.row) <= 0.5 * height / map_size[0] + 1e-3
        assert abs(likeliest.col - pixel.col) <= 0.5 * width / map_size[1] + 1e-3


@given(st.tuples(st.integers(1, 300), st.integers(1, 300)), st.integers(1, 16))
def test_maps_have_cells_of_the_stride_asked_for_and_one_at_least(
    frame_size: tuple[int, int], stride: int
) -> None:
    for cells, pixels in zip(map_size_of(frame_size, stride), frame_size, strict=True):
        assert cells >= 1
        assert cells == 1 or cells * stride <= pixels < (cells + 1) * stride
    multiple = (frame_size[0] * stride, frame_size[1] * stride)
    assert map_size_of(multiple, stride) == frame_size
