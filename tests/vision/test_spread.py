"""Ellipses of places whose spread is known."""

import numpy as np
import pytest

from visual_foresight.types import Pixel
from visual_foresight.vision.spread import ellipse


def test_places_on_a_line_have_a_flat_ellipse_along_it():
    found = ellipse(np.array([[2.0, 1.0], [2.0, 5.0]]))
    assert found.centre == Pixel(2.0, 3.0)
    assert (found.longer, found.shorter) == pytest.approx((2, 0))
    assert np.sin(found.angle) == pytest.approx(0)


def test_the_angle_is_that_of_the_longer_radius():
    found = ellipse(np.array([[0.0, 0.0], [4.0, 4.0], [1.0, 3.0], [3.0, 1.0]]))
    assert found.angle == pytest.approx(np.pi / 4)  # right and down
    assert (found.longer, found.shorter) == pytest.approx((2, 1))


def test_one_place_has_no_spread():
    found = ellipse(np.array([[7.0, 3.0]]))
    assert (found.longer, found.shorter) == (0, 0)
