import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_foresight.envs.camera import Camera
from visual_foresight.types import Pixel
from visual_foresight.vision.homography import apply_homography

CAMERA = Camera((1.0, 0.2, 0.9), (0.5, 0.0, 0.0), 40.0, 48, 64)


def test_the_target_is_seen_in_the_middle() -> None:
    pixel = CAMERA.project(np.array(CAMERA.target))
    assert (pixel.row, pixel.col) == pytest.approx((23.5, 31.5))


def test_half_the_field_of_view_above_the_middle_is_the_upper_border() -> None:
    straight = Camera((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), 90.0, 10, 20)
    assert straight.project(np.array([1.0, 0.0, 1.0])).row == pytest.approx(-0.5)
    # right of the viewer is -y
    assert straight.project(np.array([1.0, -2.0, 0.0])).col == pytest.approx(19.5)


@given(st.floats(-0.4, 47.4), st.floats(-0.4, 63.4), st.floats(0.3, 2.0))
def test_unproject_undoes_project(row: float, col: float, depth_m: float) -> None:
    back = CAMERA.project(CAMERA.unproject(Pixel(row, col), depth_m))
    assert (back.row, back.col) == pytest.approx((row, col), abs=1e-6)


@given(st.floats(0, 47), st.floats(0, 63))
def test_a_place_on_the_table_has_the_height_asked_for(row: float, col: float) -> None:
    place = CAMERA.on_plane(Pixel(row, col), 0.02)
    back = CAMERA.project(place)
    assert place[2] == pytest.approx(0.02)
    assert (back.row, back.col) == pytest.approx((row, col), abs=1e-6)


def test_a_point_behind_the_camera_is_refused() -> None:
    with pytest.raises(ValueError, match="in front of the camera"):
        CAMERA.project(np.array([2.0, 0.4, 1.8]))


def test_the_depth_buffer_runs_from_near_to_far() -> None:
    assert CAMERA.depth_m(np.array([0.0, 1.0])) == pytest.approx([CAMERA.near_m, CAMERA.far_m])


@given(st.floats(0, 47), st.floats(0, 63), st.floats(0, 0.1))
def test_the_homography_is_the_plane(row: float, col: float, height_m: float) -> None:
    x, y, scale = CAMERA.homography(height_m) @ (row, col, 1.0)
    assert (x / scale, y / scale) == pytest.approx(
        CAMERA.on_plane(Pixel(row, col), height_m)[:2], abs=1e-9
    )


@given(st.floats(-0.4, 47.4), st.floats(-0.4, 63.4), st.floats(0, 0.1))
def test_all_ways_from_a_pixel_to_a_plane_lead_to_one_place(
    row: float, col: float, height_m: float
) -> None:
    """By the ray, by the depth of its place, and by the homography, whose inverse projects."""
    place = CAMERA.on_plane(Pixel(row, col), height_m)
    depth_m = float(CAMERA.axes[2] @ (place - np.array(CAMERA.eye)))
    np.testing.assert_allclose(CAMERA.unproject(Pixel(row, col), depth_m), place, atol=1e-9)
    homography = CAMERA.homography(height_m)
    np.testing.assert_allclose(
        apply_homography(np.array([row, col]), homography), place[:2], atol=1e-9
    )
    seen = CAMERA.project(place)
    np.testing.assert_allclose(
        apply_homography(place[:2], np.linalg.inv(homography)), (seen.row, seen.col), atol=1e-6
    )


@given(st.floats(-0.4, 47.4), st.floats(-0.4, 63.4), st.integers(1, 8))
def test_a_finer_camera_sees_the_same_places_in_the_same_part_of_its_frame(
    row: float, col: float, factor: int
) -> None:
    place = CAMERA.on_plane(Pixel(row, col))
    fine = CAMERA.scaled(factor).project(place)
    assert (fine.row + 0.5, fine.col + 0.5) == pytest.approx(
        (factor * (row + 0.5), factor * (col + 0.5)), abs=1e-6
    )


@given(st.floats(0.0, 1.0))
def test_depths_grow_with_the_depth_buffer(share: float) -> None:
    depth_m, further_m = CAMERA.depth_m(np.array([share, min(share + 0.01, 1.0)]))
    assert CAMERA.near_m - 1e-9 <= depth_m <= further_m <= CAMERA.far_m + 1e-9
