"""What the camera of `pusht` draws: a known pose has known pixels."""

from dataclasses import replace

import numpy as np
import pytest

from visual_foresight.envs.pusht.camera import AGENT, GROUND, INKS, WALL, Camera
from visual_foresight.envs.pusht.states import AgentState, LetterState, TableState
from visual_foresight.types import Pixel
from visual_foresight.vision.homography import apply_homography

UPRIGHT = TableState("T", AgentState((256.0, 440.0)), (LetterState((256.0, 256.0), 0.0),))
CAMERA = Camera((512, 512))


def drawn(state: TableState, camera: Camera = CAMERA) -> np.ndarray:
    return camera.draw(state, camera.draw_empty())


def covered(frame: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    return (frame == color).all(2)


def test_a_known_pose_has_known_pixels():
    ink = covered(drawn(UPRIGHT), INKS[0])
    expected = np.zeros((512, 512), bool)
    expected[256 - 45 : 256 - 15, 256 - 60 : 256 + 60] = True  # the bar
    expected[256 - 45 : 256 + 75, 256 - 15 : 256 + 15] = True  # the stem
    # at a corner, a pixel's centre is 0.7 pixels inside: all is covered there too
    np.testing.assert_array_equal(ink, expected)


def test_it_turns_from_x_to_y():
    turned = replace(UPRIGHT, letters=(LetterState((256.0, 256.0), np.pi / 2),))
    rows, cols = np.nonzero(covered(drawn(turned), INKS[0]))
    # what was below the centre (the stem) is now to its left, and the bar to its right
    assert (cols.min(), cols.max()) == (256 - 75, 256 + 44)
    assert (rows.min(), rows.max()) == (256 - 60, 256 + 59)


def test_the_agent_is_round_and_over_the_letter():
    frame = drawn(replace(UPRIGHT, agent=AgentState((256.0, 256.0))))
    disc = covered(frame, AGENT)
    assert disc.sum() == pytest.approx(np.pi * 14.5**2, rel=0.02)
    assert disc[256, 256] and disc[243, 256] and not disc[240, 256]


def test_walls_and_ground():
    empty = CAMERA.draw_empty()
    assert covered(empty, GROUND)[8:503, 8:503].all()
    for edge in (empty[:6], empty[506:], empty[:, :6], empty[:, 506:]):
        assert covered(edge, WALL).all()


def test_a_tenth_of_a_pixel_shows():
    camera = Camera((64, 64))
    moved = replace(UPRIGHT, letters=(LetterState((256.8, 256.0), 0.0),))
    difference = drawn(moved, camera).astype(int) - drawn(UPRIGHT, camera)
    assert np.abs(difference).max() >= 10
    ink = np.array(INKS[0], float) - GROUND
    shifted = (drawn(moved, camera) - np.array(GROUND, float)) @ ink / (ink @ ink)
    before = (drawn(UPRIGHT, camera) - np.array(GROUND, float)) @ ink / (ink @ ink)
    cols = np.arange(64)
    rows = slice(24, 42)  # only the letter is there
    center = (shifted[rows, 4:60].sum(0) * cols[4:60]).sum() / shifted[rows, 4:60].sum()
    old = (before[rows, 4:60].sum(0) * cols[4:60]).sum() / before[rows, 4:60].sum()
    assert center - old == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("size", [(64, 64), (24, 32), (48, 36)])
def test_the_homography_is_where_places_are_seen(size):
    camera = Camera(size)
    for place in ((256.0, 256.0), (30.0, 480.0), (411.0, 77.5)):
        pixel = camera.to_frame(place)
        assert pixel.inside(*size)
        assert camera.to_table(pixel) == pytest.approx(place)
        seen = apply_homography(np.array([pixel.row, pixel.col]), camera.homography)
        np.testing.assert_allclose(1000 * seen, place)
    middle = camera.to_frame((256.0, 256.0))
    assert middle.distance(Pixel((size[0] - 1) / 2, (size[1] - 1) / 2)) < 1e-9
