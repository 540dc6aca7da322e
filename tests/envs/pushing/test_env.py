import pickle
from collections.abc import Iterator

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from visual_foresight.envs.camera import Camera
from visual_foresight.envs.pushing.env import SPATIAL, PushEnv
from visual_foresight.envs.pushing.objects import HELD_OUT_KINDS, TRAINING_KINDS
from visual_foresight.envs.registry import GYMNASIUM_IDS, make
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


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", ["push", "push4"])
def test_gymnasium_is_content(name: str) -> None:
    env = gymnasium.make(f"visual_foresight/{GYMNASIUM_IDS[name]}", disable_env_checker=True)
    check_env(env.unwrapped, skip_render_check=True)
    env.close()


def test_a_seed_is_a_scene_whatever_came_before(env: PushEnv) -> None:
    first, _ = env.reset(seed=5)
    shove(env)
    again, _ = env.reset(seed=5)
    other, _ = env.reset(seed=6)
    assert (first["frame"] == again["frame"]).all()
    assert (first["state"] == again["state"]).all()
    assert not (first["frame"] == other["frame"]).all()


@pytest.mark.parametrize("seed", range(4))
def test_restore_is_exact_here_and_elsewhere(env: PushEnv, seed: int) -> None:
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


def test_going_on_after_save_is_the_future_of_the_snapshot(env: PushEnv) -> None:
    env.reset(seed=3)
    shove(env)
    snapshot = env.save()
    shove_actions = shove(env)
    went_on = env.observe().frame
    env.restore(snapshot)
    for action in shove_actions:
        env.move(action)
    assert (env.observe().frame == went_on).all()


def test_a_quick_restore_is_nearly_exact(env: PushEnv) -> None:
    """Pushing is chaotic where things are squeezed, so most futures, not all, must agree."""
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
    for pixel, point in points[::7]:
        assert env.where(point)[0].distance(pixel) < 0.01
    on_objects = [(pixel, point) for pixel, point in points if point.kind == "object"]
    before = {point: env.where(point)[1] for _, point in on_objects}
    poses = env.truth()
    shove(env)
    for point, place in before.items():
        moved_m = np.linalg.norm(env.where(point)[1] - place)
        body_m = np.linalg.norm(env.truth()[point.index, :3] - poses[point.index, :3])
        assert abs(moved_m - body_m) < 0.08  # a rotation apart
        if body_m == 0:
            assert moved_m < 1e-6


def test_training_and_held_out_objects_are_disjoint() -> None:
    assert not set(TRAINING_KINDS) & set(HELD_OUT_KINDS)
    for held_out, kinds in ((False, TRAINING_KINDS), (True, HELD_OUT_KINDS)):
        env = make("push", held_out=held_out)
        for seed in range(3):
            env.reset(seed=seed)
            assert {spec.kind for spec in env.save().specs} <= set(kinds)
        env.close()


def test_frames_are_smoothed_against_aliasing() -> None:
    """A frame is nearer to a large one that is averaged down than single pixels of the large one are."""
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


@pytest.mark.parametrize("action", [np.zeros(3), np.array([np.nan, 0]), "left"])
def test_a_bad_action_is_refused_in_words(env: PushEnv, action: object) -> None:
    with pytest.raises((UserError, ValueError)):
        env.step(action)


def test_bad_settings_are_refused_in_words(env: PushEnv) -> None:
    with pytest.raises(UserError, match="choose one of dot, push, push4"):
        make("pull")
    with pytest.raises(UserError, match="16 to 512 pixels"):
        PushEnv(frame_size=(4, 64))
    for count in (0, 9):
        with pytest.raises(UserError, match="1 to 4 objects"):
            env.reset(seed=0, options={"num_objects": count})
    with pytest.raises(UserError, match="inside the 48x64 frame"):
        env.pick(Pixel(48.0, 3.0))


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


def test_the_table_is_calibrated_for_what_is_drawn(env: PushEnv) -> None:
    bullet, off = env._bullet, []
    for seed in range(40):
        env.reset(seed=seed, options={"num_objects": 1})
        if env._specs[0].kind != "disc":
            continue
        place = np.array(bullet.get_body(bullet.objects[0]).position)
        above = Camera((place[0] + 0.001, place[1], 1.5), tuple(place), 8.0, 48, 48)
        rows, cols = np.nonzero(bullet.render(above).body == bullet.objects[0])
        middle = above.project(place)
        off.append(
            (
                (rows.min() + rows.max()) / 2 - middle.row,
                (cols.min() + cols.max()) / 2 - middle.col,
            )
        )
    assert len(off) > 3
    assert np.mean(off, axis=0) == pytest.approx([-0.5, 0.5], abs=0.2)  # of a drawn pixel
    rays = env.camera.homography(0.03), env.homography
    x, y = (
        scaled[:2] / scaled[2]
        for scaled in (rays[0] @ (20.25, 29.75, 1), rays[1] @ (20, 30, 1))
    )
    assert x == pytest.approx(y)
