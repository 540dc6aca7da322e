"""The small picture of a run: two halves, markers where the pixels are, at every frame size."""

import imageio.v3 as iio
import numpy as np
import pytest

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.gui.session.gallery.pictures import HEIGHT, jpeg, run_picture
from visual_foresight.types import Pixel
from visual_foresight.vision.drawing import GOAL_COLOUR, SOURCE_COLOUR


def frames(rows, cols):
    first = np.full((rows, cols, 3), 90, np.uint8)
    return first, first + 60


def middle(picture, colour):
    """Return the middle of what has a colour, in shares of the picture's sides."""
    rows, cols = np.nonzero((picture == colour).all(-1))
    return rows.mean() / len(picture), cols.mean() / picture.shape[1]


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (240, 320), (16, 16), (33, 17)])
def test_start_and_end_have_half_each_and_markers_are_in_place(size):
    first, last = frames(*size)
    rows, cols = size
    goal = PixelGoal((Pixel(rows // 2, cols // 4),), (Pixel(rows // 4, cols // 2),))
    picture = run_picture(first, last, goal)
    width = picture.shape[1] // 2
    assert picture.shape == (HEIGHT, 2 * width, 3)
    assert width == pytest.approx(HEIGHT * cols / rows, abs=1)
    assert (picture[:, width:] == 150).all(), "the end is bare"
    half = picture[:, :width]
    for pixel, colour in ((goal.sources[0], SOURCE_COLOUR), (goal.targets[0], GOAL_COLOUR)):
        expected = ((pixel.row + 0.5) / rows, (pixel.col + 0.5) / cols)
        assert middle(half, colour) == pytest.approx(expected, abs=0.02)


def test_a_goal_image_is_in_a_corner_of_the_start_and_a_run_without_goal_is_bare():
    first, last = frames(64, 64)
    image = np.full((64, 64, 3), 7, np.uint8)
    picture = run_picture(first, last, ImageGoal(image))
    assert (picture[110, 110] == 7).all() and (picture[10, 10] == 90).all()
    assert (run_picture(first, last, None)[:, :HEIGHT] == 90).all()


def test_the_file_is_small_and_shows_the_same():
    first, last = frames(64, 64)
    picture = run_picture(first, last, None)
    content = jpeg(picture)
    assert len(content) < 8000
    np.testing.assert_allclose(iio.imread(content), picture, atol=3)
