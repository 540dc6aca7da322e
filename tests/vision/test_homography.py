"""A plane as a camera sees it: there and back, and two ways to the same place."""

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visual_foresight.envs.camera import Camera
from visual_foresight.vision.homography import (
    apply_homography,
    as_complex,
    camera_of,
    to_pixel,
    to_plane,
)

SIZE = (48, 64)
QUICK = settings(max_examples=50)


@st.composite
def cameras(draw: st.DrawFn) -> Camera:
    """Return cameras that look down at the table, from all around it."""
    angle = draw(st.floats(-np.pi, np.pi))
    away_m = draw(st.floats(0.3, 0.8))
    eye = (away_m * np.cos(angle), away_m * np.sin(angle), draw(st.floats(0.6, 1.2)))
    target = (draw(st.floats(-0.1, 0.1)), draw(st.floats(-0.1, 0.1)), 0.0)
    return Camera(eye, target, draw(st.floats(20.0, 45.0)), *SIZE)


PIXELS = st.lists(
    st.tuples(st.floats(-0.5, SIZE[0] - 0.5), st.floats(-0.5, SIZE[1] - 0.5)), max_size=5
).map(lambda pixels: np.array(pixels, np.float64).reshape(-1, 2))


@QUICK
@given(cameras(), PIXELS)
def test_the_inverse_of_a_homography_takes_places_back(
    camera: Camera, pixels: np.ndarray
) -> None:
    homography = camera.homography(0.0)
    places = apply_homography(pixels, homography)
    back = apply_homography(places, np.linalg.inv(homography))
    assert places.shape == back.shape == pixels.shape
    np.testing.assert_allclose(back, pixels, atol=1e-6)


@QUICK
@given(cameras(), PIXELS)
def test_pixels_and_places_of_tensors_undo_each_other(
    camera: Camera, pixels: np.ndarray
) -> None:
    to_place = torch.from_numpy(camera.homography(0.0))
    places = to_plane(torch.from_numpy(pixels), to_place)
    back = to_pixel(places, torch.linalg.inv(to_place))
    np.testing.assert_allclose(back.numpy(), pixels, atol=1e-6)


@QUICK
@given(cameras(), PIXELS)
def test_tensors_and_arrays_are_taken_to_the_same_places(
    camera: Camera, pixels: np.ndarray
) -> None:
    homography = camera.homography(0.0)
    places = torch.from_numpy(apply_homography(pixels, homography))
    found = to_plane(torch.from_numpy(pixels), torch.from_numpy(homography))
    np.testing.assert_allclose(found.numpy(), as_complex(places).numpy(), atol=1e-9)


@QUICK
@given(cameras(), st.floats(0.5, 100.0), PIXELS)
def test_the_scale_of_a_homography_means_nothing(
    camera: Camera, scale: float, pixels: np.ndarray
) -> None:
    homography = camera.homography(0.0)
    np.testing.assert_allclose(
        apply_homography(pixels, scale * homography),
        apply_homography(pixels, homography),
        atol=1e-9,
    )


@QUICK
@given(cameras())
def test_the_camera_is_found_in_its_homography(camera: Camera) -> None:
    found = camera_of(camera.homography(0.0), SIZE)
    np.testing.assert_allclose(found, camera.eye, atol=1e-3)


@QUICK
@given(cameras())
def test_four_places_are_enough_for_the_homography(camera: Camera) -> None:
    corners = np.array([[0, 0], [0, 63], [47, 0], [47, 63]], np.float32)
    homography = camera.homography(0.0)
    places = apply_homography(corners, homography).astype(np.float32)
    found = cv2.getPerspectiveTransform(corners, places)
    np.testing.assert_allclose(found, homography / homography[2, 2], atol=1e-3, rtol=1e-3)
