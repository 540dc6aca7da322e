"""Seen from above: footprints of the simulator's own objects, from one of its frames; the simulator's poses are the judge."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from visual_foresight.envs.pushing.env import ARM, PushEnv
from visual_foresight.predictors.rigid.bodies import SAME, BirdsEyeView, filled, solid
from visual_foresight.types import to_float
from visual_foresight.vision.background import apart_from
from visual_foresight.vision.homography import camera_of, pixel_side

SIZE = (64, 64)


@pytest.fixture(scope="module")
def env() -> Iterator[PushEnv]:
    env = PushEnv(SIZE)
    yield env
    env.close()


@pytest.fixture(scope="module")
def birds_eye_view(env: PushEnv) -> BirdsEyeView:
    homography = tuple(map(tuple, env.homography.tolist()))
    return BirdsEyeView(env.homography, SIZE, pixel_side(homography, SIZE))


def covered(env: PushEnv, places: np.ndarray) -> np.ndarray:
    """Return which places (x, y) are under which object: bool, objects first."""
    under = []
    for spec, pose in zip(env.save().specs, env.truth(), strict=True):
        turn = Rotation.from_quat(pose[3:]).as_euler("xyz")[2]
        local = (places - pose[:2]) @ np.array(
            [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
        )
        inside = np.zeros(places.shape[:-1], bool)
        for part in ElementTree.fromstring(spec.urdf).iter("collision"):
            middle = np.array(
                [float(number) for number in part.find("origin").get("xyz").split()]
            )[:2]
            box = part.find("geometry/box")
            if box is not None:
                half = np.array([float(number) for number in box.get("size").split()])[:2] / 2
                inside |= (np.abs(local - middle) < half).all(-1)
            else:
                inside |= np.linalg.norm(local - middle, axis=-1) < float(
                    part.find("geometry/cylinder").get("radius")
                )
        under.append(inside)
    return np.stack(under)


def frames_of(env: PushEnv, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a frame, the table with nothing on it, and where the arm is."""
    env.reset(seed=seed, options={"num_objects": 2})
    frame = to_float(env.observe().frame[None])[0].permute(1, 2, 0).numpy()
    arm = (env.segment() == ARM).reshape(64, 2, 64, 2).any((1, 3))
    background = to_float(env.empty_frame()[None])[0].permute(1, 2, 0).numpy()
    return frame, background, arm


def test_the_camera_is_found_from_its_homography(env: PushEnv) -> None:
    for homography, atol in (
        (env.camera.homography(0.03), 1e-6),
        (env.homography, 0.02),
    ):  # which is a quarter of a pixel aside
        x, y, z = camera_of(homography, SIZE)
        np.testing.assert_allclose([x, y, z + 0.03], env.camera.eye, atol=atol)


def test_a_camera_straight_above_sees_no_sides() -> None:
    assert camera_of(np.diag([0.01, 0.01, 1.0]), SIZE)[2] > 1e3


def test_footprints_are_where_the_objects_stand(
    env: PushEnv, birds_eye_view: BirdsEyeView
) -> None:
    """A bar is 3 cm wide, of which a pixel is a quarter: of its footprint a fifth is the border."""
    overlaps = []
    for seed in range(1, 9):
        frame, background, arm = frames_of(env, seed)
        bare = filled(frame[None], background, arm[None])
        seen = birds_eye_view.find_bodies(solid(apart_from(bare, background)))
        assert seen.bodies.present.sum() == 2
        true = env.truth()[:, :2]
        for place, field in zip(
            seen.places[0].numpy(), seen.bodies.field[0, :, 0].numpy(), strict=True
        ):
            middle = np.array([place.real, place.imag])
            axis = (np.arange(len(field)) + 0.5) * birds_eye_view.cell - seen.bodies.half
            cells = np.stack(np.meshgrid(middle[0] + axis, middle[1] + axis, indexing="ij"), -1)
            under = covered(env, cells)[np.linalg.norm(true - middle, axis=-1).argmin()]
            overlaps.append((under & (field < 0)).sum() / (under | (field < 0)).sum())
    # some stand half behind the arm
    assert np.mean(overlaps) > 0.7 and min(overlaps) > 0.4, overlaps


def test_a_pixel_shows_the_body_that_the_simulator_draws_there(
    env: PushEnv, birds_eye_view: BirdsEyeView
) -> None:
    frame, background, arm = frames_of(env, 2)
    seen = birds_eye_view.find_bodies(
        solid(apart_from(filled(frame[None], background, arm[None]), background))
    )
    shown = env.segment()[::2, ::2]
    owner = seen.owner[0].numpy()
    for number in range(len(env.truth())):
        owners = owner[shown == number]
        most = np.bincount(owners + 1).argmax() - 1
        assert most >= 0 and (owners == most).mean() > 0.9


def test_what_is_hidden_is_filled_in_from_around_it() -> None:
    background = np.full((32, 32, 3), 0.6, np.float32)
    frame = background.copy()
    frame[10:20, 8:24] = (0.1, 0.8, 0.2)
    hidden = np.zeros((32, 32), bool)
    hidden[:, 15:18] = True
    covered_frame = np.where(hidden[..., None], np.float32(0.05), frame)
    bare = filled(covered_frame[None], background, hidden[None])[0]
    # the sides of what is hidden lie on the object
    assert np.abs(bare - frame)[12:18].max() < 0.1
    assert np.abs(bare - frame)[:8].max() < SAME


def test_an_empty_table_has_no_bodies(birds_eye_view: BirdsEyeView) -> None:
    seen = birds_eye_view.find_bodies(np.zeros((2, *SIZE), np.float32))
    assert seen.bodies.present.shape == (2, 0) and (seen.owner == -1).all()


def test_things_that_touch_are_two_bodies_where_a_border_parts_them(
    birds_eye_view: BirdsEyeView,
) -> None:
    opacity, border = np.zeros((2, 1, *SIZE), np.float32)
    opacity[0, 30:42, 20:40] = 1
    border[0, 30:42, 29:31] = 1
    one, two = birds_eye_view.find_bodies(opacity), birds_eye_view.find_bodies(opacity, border)
    assert one.bodies.present.sum() == 1 and two.bodies.present.sum() == 2
    assert (two.owner[0, 36, 22:28] == two.owner[0, 36, 22]).all() and (
        two.owner[0, 36, 32:38] == two.owner[0, 36, 38]
    ).all()
    assert two.owner[0, 36, 22] != two.owner[0, 36, 38]
    assert (two.owner[0, 30:42, 29:31] >= 0).all()  # the border itself belongs to them


def test_what_looks_like_the_table_in_the_middle_of_a_thing_is_of_the_thing(
    birds_eye_view: BirdsEyeView,
) -> None:
    opacity = np.zeros((2, *SIZE), np.float32)
    opacity[:, 24:36, 26:38] = 1
    opacity[1, 28:30, 31:33] = 0
    seen = birds_eye_view.find_bodies(opacity)
    np.testing.assert_array_equal(seen.owner[0] >= 0, seen.owner[1] >= 0)
    np.testing.assert_array_equal(
        seen.bodies.field[0, 0, 0] < 0, seen.bodies.field[1, 0, 0] < 0
    )


@pytest.mark.parametrize("times", [1, 2])
def test_a_finer_frame_shows_the_same_bodies(env: PushEnv, times: int) -> None:
    fine = env.homography @ np.array(
        [[1 / times, 0, (1 / times - 1) / 2], [0, 1 / times, (1 / times - 1) / 2], [0, 0, 1]]
    )
    size = (SIZE[0] * times, SIZE[1] * times)
    opacity = np.zeros((1, *size), np.float32)
    opacity[0, 24 * times : 36 * times, 26 * times : 38 * times] = 1
    seen = BirdsEyeView(
        fine, size, pixel_side(tuple(map(tuple, fine.tolist())), size)
    ).find_bodies(opacity)
    assert seen.bodies.present.tolist() == [[True]]
    assert float(seen.bodies.spread) == pytest.approx(0.036, abs=0.002)
    assert float(seen.bodies.rim.abs().amax()) == pytest.approx(0.067, abs=0.004)


def test_what_is_far_too_large_is_no_body(birds_eye_view: BirdsEyeView) -> None:
    ring = np.zeros((1, *SIZE), np.float32)
    ring[0, 2:62, 2:62] = 1
    ring[0, 12:52, 8:56] = 0
    seen = birds_eye_view.find_bodies(ring)
    assert not seen.bodies.present.any() and (seen.owner == -1).all()
