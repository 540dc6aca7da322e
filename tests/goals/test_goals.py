"""Known answers of the two goals: how far, in what words, and drawn how."""

import base64

import cv2
import numpy as np
import pytest

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal, require_pixels
from visual_foresight.goals.registry import goal_from_json, goal_to_json
from visual_foresight.types import Observation, Pixel, UserError
from visual_foresight.vision.drawing import GAP, GOAL_COLOUR, SOURCE_COLOUR

SIZE = (6, 8)
STATE = np.zeros(2, np.float32)


def grey(shade: int) -> np.ndarray:
    return np.full((*SIZE, 3), shade, np.uint8)


SEEN = Observation.single(grey(90), STATE)


def test_the_pixel_farthest_from_its_goal_counts() -> None:
    goal = PixelGoal((Pixel(0, 0), Pixel(1, 1)), (Pixel(3, 4), Pixel(1, 1)))
    assert goal.measure(SEEN, goal.sources) == 5
    assert goal.measure(SEEN, (Pixel(3, 4), Pixel(1, 3))) == 2
    assert goal.measure(SEEN, ()) is None, "nothing was located"


def test_there_is_a_goal_pixel_for_each_designated_pixel() -> None:
    for sources, targets in (((), ()), ((Pixel(1, 1),), ())):
        with pytest.raises(ValueError, match="one goal pixel per designated pixel"):
            PixelGoal(sources, targets)


def test_pixels_are_listed_as_they_move() -> None:
    still = Pixel(4, 5)
    goal = PixelGoal((Pixel(1, 2.5), still), (Pixel(3, 4), still))
    assert goal.describe() == "(1, 2.5) → (3, 4), 1 kept still"


def test_files_of_older_runs_are_read() -> None:
    written = {"pixels": [[[1.0, 2.5], [3.0, 4.0]]]}
    goal = PixelGoal((Pixel(1, 2.5),), (Pixel(3, 4),))
    assert goal_from_json(written) == goal and goal_to_json(goal) == written


def test_pixels_are_a_ring_and_a_cross() -> None:
    goal = PixelGoal((Pixel(1, 1),), (Pixel(4, 6),))
    picture = np.full((6 * 9, 8 * 9, 3), 90, np.uint8)
    drawn = goal.draw(picture, goal.sources, 9)
    assert (drawn == SOURCE_COLOUR).all(-1).any() and (drawn == GOAL_COLOUR).all(-1).any()
    bare = goal.draw(picture, (), 9)
    assert not (bare == SOURCE_COLOUR).all(-1).any() and (bare == GOAL_COLOUR).all(-1).any()


def test_an_image_is_as_far_as_it_differs() -> None:
    goal = ImageGoal(grey(141))  # a fifth of the range from what is seen
    assert goal.measure(SEEN, ()) == pytest.approx(0.2)
    half = grey(141)
    half[:3] = 90
    assert ImageGoal(half).measure(SEEN, ()) == pytest.approx(0.2 / 2**0.5)
    assert ImageGoal(grey(90)[:4]).measure(SEEN, ()) is None, "it is of another size"


def test_an_image_stands_beside_the_frame() -> None:
    drawn = ImageGoal(grey(141)).draw(np.full((12, 16, 3), 90, np.uint8), (), 2)
    assert drawn.shape == (12, 16 + GAP + 16, 3)
    assert (drawn[:, :16] == 90).all() and (drawn[:, -16:] == 141).all()


def test_an_image_is_measured_kept_and_drawn_without_what_is_transparent() -> None:
    mask = np.zeros(SIZE, bool)
    mask[:3] = True
    frame = grey(90)
    frame[3:] = 255  # hidden
    goal = ImageGoal(frame, mask)
    assert goal.measure(SEEN, ()) == 0
    frame[0] = 141
    assert goal.measure(SEEN, ()) == pytest.approx(0.2 / 3**0.5)
    again = goal_from_json(goal_to_json(goal))
    assert isinstance(again, ImageGoal)
    assert again.mask is not None and (again.mask == mask).all()
    assert (again.frame[mask] == frame[mask]).all()
    assert again.measure(SEEN, ()) == goal.measure(SEEN, ())
    shown = goal.shown()
    assert (shown[mask] == frame[mask]).all() and not (shown == 255).any()
    assert goal.describe() != ImageGoal(frame).describe()


def test_an_image_has_one_pixel_or_more() -> None:
    with pytest.raises(ValueError, match="a mask of the image's shape"):
        ImageGoal(grey(0), np.zeros(SIZE, bool))
    written = cv2.imencode(".png", np.zeros((*SIZE, 4), np.uint8))[1].tobytes()
    with pytest.raises(UserError, match="this has none"):
        goal_from_json({"png": base64.b64encode(written).decode()})


def test_who_needs_pixels_says_so() -> None:
    require_pixels(PixelGoal((Pixel(1, 1),), (Pixel(4, 6),)), SIZE)
    with pytest.raises(UserError, match="outside the frame"):
        require_pixels(PixelGoal((Pixel(1, 1),), (Pixel(9, 6),)), SIZE)
    with pytest.raises(UserError, match="needs designated pixels, .* .an image. has none"):
        require_pixels(ImageGoal(grey(0)), SIZE)
