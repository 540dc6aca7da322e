"""Regions of pixel maps: the fewest cells, and outlines that close around just these."""

import numpy as np
import pytest

from visual_foresight.vision.regions import densest, outline


def area(ring):
    """Return the signed area of a closed line, by the shoelace formula: clockwise is positive."""
    down, right = ring.T
    return (right * np.roll(down, -1) - down * np.roll(right, -1)).sum() / 2


def test_the_region_is_the_fewest_cells_that_hold_the_share():
    pixel_map = np.array([[0.05, 0.4, 0.05], [0.1, 0.3, 0.1]])
    assert densest(pixel_map, 0.5).tolist() == [[False, True, False], [False, True, False]]
    assert densest(pixel_map, 0.4).sum() == 1
    assert densest(pixel_map, 0.9).sum() == 4
    assert densest(pixel_map, 1.0).all()


def test_the_region_of_a_sharp_map_is_its_cell_and_of_an_empty_one_nothing():
    pixel_map = np.zeros((3, 5), np.float32)
    assert not densest(pixel_map, 0.9).any()
    pixel_map[2, 4] = 0.3
    assert np.argwhere(densest(pixel_map, 0.9)).tolist() == [[2, 4]]


def test_the_outline_of_one_cell_has_its_four_corners():
    inside = np.zeros((3, 4), bool)
    inside[1, 2] = True
    (ring,) = outline(inside)
    assert ring.tolist() == [[1, 2], [1, 3], [2, 3], [2, 2]]


def test_a_ring_of_cells_has_an_outer_and_an_inner_line():
    inside = np.ones((3, 3), bool)
    inside[1, 1] = False
    assert sorted(area(ring) for ring in outline(inside)) == [-1, 9]


def test_cells_that_touch_at_a_corner_are_apart():
    assert [len(ring) for ring in outline(np.eye(2, dtype=bool))] == [4, 4]


@pytest.mark.parametrize("seed", range(20))
def test_outlines_enclose_just_the_cells_and_have_no_needless_corner(seed):
    inside = np.random.default_rng(seed).random((6, 9)) < 0.5
    rings = outline(inside)
    assert sum(area(ring) for ring in rings) == inside.sum()
    for ring in rings:
        steps = np.diff(np.concatenate([ring, ring[:1]]), axis=0)
        assert ((steps == 0).sum(1) == 1).all(), "a line that is not along the grid"
        assert ((steps != 0) != np.roll(steps != 0, -1, axis=0)).all(), "it goes straight on"
