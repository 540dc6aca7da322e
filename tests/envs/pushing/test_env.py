"""The pushing table: what it does beyond the contract of all envs."""

import pickle
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from visual_foresight.envs.camera import Camera
from visual_foresight.envs.pushing.bullet import BodyState, Bullet
from visual_foresight.envs.pushing.cameras import OFF_PX, TOUCH_HEIGHT_M
from visual_foresight.envs.pushing.env import (
    ARM,
    BACKGROUND,
    PLANAR,
    SPATIAL,
    PushEnv,
)
from visual_foresight.envs.pushing.objects import (
    HELD_OUT_KINDS,
    TRAINING_KINDS,
    ObjectSpec,
    random_spec,
)
from visual_foresight.types import Pixel, UserError


@pytest.fixture(scope="module")
def env() -> Iterator[PushEnv]:
    env = PushEnv(frame_size=(48, 64))
    yield env
    env.close()


def shove(env: PushEnv) -> np.ndarray:
    """Push whatever is nearest for a few steps and return the actions."""
    actions = []
    for _ in range(8):
        tip = env.observe().state[:2]
        places = env.truth()[:, :2]
        nearest = places[np.linalg.norm(places - tip, axis=1).argmin()]
        actions.append(np.clip((nearest - tip) / 0.04, -1, 1))
        env.move(actions[-1])
    return np.array(actions)


@pytest.mark.parametrize("seed", range(4))
def test_restoring_is_exact_in_contact(env: PushEnv, seed: int) -> None:
    other = PushEnv(frame_size=(48, 64))
    other.reset(seed=77)
    env.reset(seed=seed, options={"num_objects": 4})
    shove(env)
    snapshot = pickle.loads(pickle.dumps(env.save()))
    before = env.truth()
    actions = np.concatenate([shove(env), np.random.default_rng(seed).uniform(-1, 1, (6, 2))])
    runs = []
    for world in (env, env, other):
        world.restore(snapshot)
        runs.append([world.step(action)[0]["frame"] for action in actions])
        assert not (world.truth() == before).all(), "nothing was pushed: the test shows nothing"
    assert (np.array(runs[0]) == np.array(runs[1])).all()
    assert (np.array(runs[0]) == np.array(runs[2])).all()
    other.close()


def test_a_quick_restore_is_nearly_exact(env: PushEnv) -> None:
    """Pushing is chaotic where objects are squeezed, so most futures must agree, not all."""
    differences_m = []
    for seed in range(7):
        env.reset(seed=seed, options={"num_objects": 2})
        snapshot = env.save()
        actions, futures = shove(env), []
        for exact in (True, False):
            env.restore(snapshot, exact=exact)
            for action in actions:
                env.move(action)
            futures.append(env.truth()[:, :3])
        differences_m.append(np.abs(futures[0] - futures[1]).max())
    assert np.median(differences_m) < 1e-3


def test_the_fingertip_goes_where_the_action_says(env: PushEnv) -> None:
    env.reset(seed=1, options={"num_objects": 1})
    start = env.observe().state
    toward_middle = np.sign(np.array([0.54, 0.0]) - start[:2])
    env.step(0.5 * toward_middle)
    moved = env.observe().state - start
    assert moved[:2] == pytest.approx(0.5 * 0.04 * toward_middle, abs=0.004)
    assert moved[2] == pytest.approx(0, abs=0.003)


def test_the_workspace_is_kept_and_foretold(env: PushEnv) -> None:
    env.reset(seed=2, options={"num_objects": 1})
    state = torch.from_numpy(env.observe().state)
    wanted = torch.full((1, 14, 2), 1.0)
    foretold = env.workspace.clip(state, wanted)
    for action in wanted[0].numpy():
        env.move(action)
    tip = env.observe().state[:2]
    assert (tip <= np.array(env.workspace.high) + 0.005).all()
    reached = state[:2] + (foretold[0] * torch.tensor(env.workspace.step)).sum(0)
    assert tip == pytest.approx(reached.numpy(), abs=0.006)


def test_a_picked_point_stays_on_its_object(env: PushEnv) -> None:
    env.reset(seed=4, options={"num_objects": 2})
    pixels = [Pixel(float(row), float(col)) for row in range(48) for col in range(64)]
    points = [(pixel, env.pick(pixel)) for pixel in pixels]
    assert {point.kind for _, point in points} == {"object", "arm", "background"}
    on_objects = [(pixel, point) for pixel, point in points if point.kind == "object"]
    before = {point: env.where(point)[1] for _, point in on_objects}
    poses = env.truth()
    shove(env)
    for point, place in before.items():
        moved_m = np.linalg.norm(env.where(point)[1] - place)
        body_m = np.linalg.norm(env.truth()[point.index, :3] - poses[point.index, :3])
        assert abs(moved_m - body_m) < 0.08  # the rest is rotation
        if body_m == 0:
            assert moved_m < 1e-6


def test_training_and_held_out_objects_are_disjoint() -> None:
    assert not set(TRAINING_KINDS) & set(HELD_OUT_KINDS)
    for held_out, kinds in ((False, TRAINING_KINDS), (True, HELD_OUT_KINDS)):
        env = PushEnv(held_out=held_out)
        for seed in range(3):
            env.reset(seed=seed)
            assert {spec.kind for spec in env.save().specs} <= set(kinds)
        env.close()


def test_frames_are_smoothed_against_aliasing() -> None:
    """A frame is nearer to the average of a larger one than to any of its single pixels."""
    frames = []
    for size in ((32, 40), (128, 160)):
        world = PushEnv(frame_size=size)
        frames.append(world.reset(seed=9)[0]["frame"].astype(float))
        world.close()
    small, large = frames
    averaged = large.reshape(32, 4, 40, 4, 3).mean((1, 3))
    sampled = [large[row::4, col::4] for row in range(4) for col in range(4)]
    best = min(np.abs(picture - averaged).mean() for picture in sampled)
    # a frame without smoothing is one of these
    assert np.abs(small - averaged).mean() < 0.9 * best


def test_four_numbers_move_and_turn_the_finger() -> None:
    env = PushEnv(variant=SPATIAL)
    env.reset(seed=0)
    start = env.observe().state
    for _ in range(2):
        env.step(np.array([0, 0, 1.0, 1.0]))
    moved = env.observe().state - start
    assert moved[2] == pytest.approx(0.06, abs=0.01)
    assert abs(moved[3]) == pytest.approx(0.6, abs=0.1)
    env.close()


def test_bad_settings_are_refused_in_words(env: PushEnv) -> None:
    with pytest.raises(UserError, match="16 to 512 pixels"):
        PushEnv(frame_size=(64, 513))
    with pytest.raises(UserError, match="1 to 4 objects"):
        env.reset(seed=0, options={"num_objects": 5})


def test_the_scene_drawn_larger_is_the_frame_in_finer_pixels(env: PushEnv) -> None:
    env.reset(seed=5)
    frame, large = env.observe().frame, env.draw(4)
    assert large.shape == (192, 256, 3)
    averaged = large.reshape(48, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(averaged - frame).mean() < 3
    for axis in (0, 1):
        assert (
            np.abs(np.roll(averaged, 1, axis) - frame).mean()
            > 2 * np.abs(averaged - frame).mean()
        ), "not shifted"


def disc() -> ObjectSpec:
    rng = np.random.default_rng(0)
    while True:
        spec = random_spec(rng, held_out=False)
        if spec.kind == "disc":
            return spec


def test_what_is_rendered_is_shifted_by_half_a_pixel() -> None:
    bullet = Bullet(PLANAR.finger, 0.01, [])
    bullet.rebuild([disc()])
    shifts = []
    for x, y in np.random.default_rng(0).uniform((0.4, -0.2), (0.7, 0.2), (8, 2)):
        place = (float(x), float(y), 0.0225)
        upright, still = (0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0)
        bullet.set_body(bullet.objects[0], BodyState(place, upright, still, still))
        above = Camera((place[0] + 0.001, place[1], 1.5), place, 8.0, 48, 48)
        rows, cols = np.nonzero(bullet.render(above).body == bullet.objects[0])
        centre = above.project(np.array(place))
        row, col = (rows.min() + rows.max()) / 2, (cols.min() + cols.max()) / 2
        shifts.append((row - centre.row, col - centre.col))
    bullet.close()
    assert np.mean(shifts, axis=0) == pytest.approx([-0.5, 0.5], abs=0.2)


def test_the_homography_takes_back_the_shift(env: PushEnv) -> None:
    exact = env.camera.homography(TOUCH_HEIGHT_M) @ (20 + OFF_PX, 30 - OFF_PX, 1)
    calibrated = env.homography @ (20, 30, 1)
    assert exact[:2] / exact[2] == pytest.approx(calibrated[:2] / calibrated[2])


def test_segments_are_what_is_picked(env: PushEnv) -> None:
    env.reset(seed=4, options={"num_objects": 3})
    shown = env.segment()
    assert shown.shape == (96, 128)
    assert set(np.unique(shown)) == {BACKGROUND, ARM, 0, 1, 2}
    for row in range(0, 96, 5):
        for col in range(0, 128, 5):
            point = env.pick(Pixel(row / 2 - 0.25, col / 2 - 0.25))
            expected = {"arm": ARM, "background": BACKGROUND}.get(point.kind, point.index)
            assert shown[row, col] == expected


def test_the_empty_frame_is_the_frame_where_nothing_stands(env: PushEnv) -> None:
    env.reset(seed=4)
    bare = (env.segment() == BACKGROUND).reshape(48, 2, 64, 2).all((1, 3))
    np.testing.assert_array_equal(env.empty_frame()[bare], env.observe().frame[bare])
    assert 0.5 < bare.mean() < 1
