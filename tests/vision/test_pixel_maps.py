"""Pixels to maps and back, on grids that are coarser than the frame and not square."""

import pytest
import torch

from visual_foresight.types import Pixel
from visual_foresight.vision.pixel_maps import (
    centres,
    expected,
    expected_places,
    grid,
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
