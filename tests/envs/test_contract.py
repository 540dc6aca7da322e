"""What every env promises (see `interfaces.Env`), over the registry."""

import pickle
from collections.abc import Iterator

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env

from visual_foresight.envs.registry import ENVS, GYMNASIUM_IDS, make
from visual_foresight.interfaces import Env, SimulatedEnv, require_simulator
from visual_foresight.types import Pixel, UserError, Workspace

SIZE = (24, 32)
KINDS = {"object", "arm", "background"}


@pytest.fixture(scope="module", params=sorted(ENVS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def env(name: str) -> Iterator[SimulatedEnv]:
    """All of ours have snapshots and are their own judges."""
    env = require_simulator(make(name, SIZE), "the test")
    yield env
    env.close()


def workspace_of(env: Env) -> Workspace:
    return env.info.require_workspace("the test")


def random_actions(env: Env, count: int, seed: int = 0) -> np.ndarray:
    """Return actions that sweep over the workspace: each is repeated for some steps."""
    rng = np.random.default_rng(seed)
    choices = rng.uniform(-1, 1, (count // 4 + 1, env.info.action_size))
    return np.repeat(choices, 4, axis=0)[:count]


def run(env: Env, actions: np.ndarray) -> np.ndarray:
    """Return the frames that actions lead to."""
    return np.array([env.step(action)[0]["frame"] for action in actions])


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_it_is_a_gymnasium_env(name: str) -> None:
    id_ = f"visual_foresight/{GYMNASIUM_IDS[name]}"
    env = gymnasium.make(id_, frame_size=SIZE, disable_env_checker=True)
    check_env(env.unwrapped, skip_render_check=True)  # which wants several render modes
    env.close()


def test_it_has_what_the_protocol_asks_for(env: SimulatedEnv) -> None:
    assert isinstance(env, Env)
    observation, _ = env.reset(seed=0)
    info = env.info
    assert info.frame_size == SIZE
    assert observation["frame"].shape == (*SIZE, 3) and observation["frame"].dtype == np.uint8
    assert observation["state"].shape == (info.state_size,)
    assert observation["state"].dtype == np.float32
    assert info.view.calibration("the test").shape == (3, 3)
    assert info.renderer
    workspace = workspace_of(env)
    limits = (workspace.low, workspace.high, workspace.step)
    assert {len(limit) for limit in limits} == {info.action_size}
    assert info.action_size <= info.state_size


def test_a_seed_decides_the_scene_whatever_came_before(env: SimulatedEnv) -> None:
    first, _ = env.reset(seed=5)
    run(env, random_actions(env, 4))
    again, _ = env.reset(seed=5)
    other, _ = env.reset(seed=6)
    np.testing.assert_array_equal(first["frame"], again["frame"])
    np.testing.assert_array_equal(first["state"], again["state"])
    assert (first["frame"] != other["frame"]).any()


@pytest.mark.parametrize("count", [1, 3])
def test_the_number_of_objects_is_an_option(env: SimulatedEnv, count: int) -> None:
    env.reset(seed=1, options={"num_objects": count})
    assert env.truth().shape == (count, 7)
    np.testing.assert_allclose(np.linalg.norm(env.truth()[:, 3:], axis=1), 1, atol=1e-6)


def test_observe_is_what_step_returned(env: SimulatedEnv) -> None:
    env.reset(seed=2)
    for action in random_actions(env, 3):
        observation, reward, terminated, truncated, _ = env.step(action)
        np.testing.assert_array_equal(observation["frame"], env.observe().frame)
        np.testing.assert_array_equal(observation["state"], env.observe().state)
        assert (reward, terminated, truncated) == (0, False, False)


def test_observing_and_judging_change_nothing(env: SimulatedEnv) -> None:
    actions = random_actions(env, 6)
    env.reset(seed=3)
    undisturbed = run(env, actions)
    env.reset(seed=3)
    frames = []
    for action in actions:
        point = env.pick(Pixel(11.0, 15.0))
        env.where(point)
        env.truth()[:] = 0
        env.observe().frame[:] = 0
        frames.append(env.step(action)[0]["frame"])
    np.testing.assert_array_equal(undisturbed, frames)


def test_move_is_a_step_without_a_frame(env: SimulatedEnv) -> None:
    actions = random_actions(env, 4)
    env.reset(seed=4)
    stepped = run(env, actions)[-1]
    env.reset(seed=4)
    for action in actions:
        env.move(action)
    np.testing.assert_array_equal(env.observe().frame, stepped)


@pytest.mark.parametrize("seed", range(2))
def test_the_future_of_a_snapshot_is_the_same_bit_for_bit(
    name: str, env: SimulatedEnv, seed: int
) -> None:
    other = require_simulator(make(name, SIZE), "the test")
    other.reset(seed=77)
    env.reset(seed=seed, options={"num_objects": 3})
    run(env, random_actions(env, 6, seed))
    snapshot = pickle.loads(pickle.dumps(env.save()))
    actions = random_actions(env, 8, seed + 1)
    went_on = run(env, actions)
    for world in (env, other):
        world.restore(snapshot)
        np.testing.assert_array_equal(run(world, actions), went_on)
        np.testing.assert_array_equal(world.truth(), env.truth())
    other.close()


@pytest.mark.parametrize("seed", range(3))
def test_the_robot_stays_in_the_workspace_and_goes_where_its_clip_says(
    env: SimulatedEnv, seed: int
) -> None:
    low = np.array(workspace_of(env).low)
    high = np.array(workspace_of(env).high)
    step = np.array(workspace_of(env).step)
    env.reset(seed=seed, options={"num_objects": 1})
    wanted = 1.5 * random_actions(env, 16, seed)
    start = torch.from_numpy(env.observe().state)
    feasible = workspace_of(env).clip(start, torch.from_numpy(wanted)[None])[0].numpy()
    expected = start.numpy()[: len(low)] + np.cumsum(feasible * step, 0)
    for action, place in zip(wanted, expected, strict=True):
        env.move(action)
        state = env.observe().state[: len(low)]
        assert (state > low - 0.3 * step).all() and (state < high + 0.3 * step).all()
        assert (np.abs(state - place) < 0.4 * step).all(), "an arm may lag behind a little"


def test_a_picked_point_is_where_it_was_picked(env: SimulatedEnv) -> None:
    env.reset(seed=4, options={"num_objects": 2})
    kinds = set()
    for row in range(SIZE[0]):
        for col in range(SIZE[1]):
            pixel = Pixel(float(row), float(col))
            point = env.pick(pixel)
            kinds.add(point.kind)
            place, world = env.where(point)
            assert place.distance(pixel) < 0.01
            assert env.project(world).distance(place) < 1e-9
    assert {"object", "background"} <= kinds <= KINDS


def test_points_of_the_background_rest(env: SimulatedEnv) -> None:
    env.reset(seed=5)
    pixels = [Pixel(float(row), float(col)) for row in (0, 12, 23) for col in (0, 16, 31)]
    points = [env.pick(pixel) for pixel in pixels]
    background = [point for point in points if point.kind == "background"]
    before = [env.where(point) for point in background]
    run(env, random_actions(env, 8))
    assert background and [env.where(point)[0] for point in background] == [
        place for place, _ in before
    ]


def test_the_calibrated_camera_sees_the_robot(env: SimulatedEnv) -> None:
    env.reset(seed=6)
    x, y = env.observe().state[:2]
    row, col, scale = np.linalg.inv(env.info.view.calibration("the test")) @ (x, y, 1)
    assert Pixel(float(row / scale), float(col / scale)).inside(*SIZE)


def test_a_bad_action_is_refused_and_changes_nothing(env: SimulatedEnv) -> None:
    env.reset(seed=7)
    before = env.observe()
    size = env.info.action_size
    for action in (np.zeros(size + 1), np.full(size, np.nan), np.zeros((1, size))):
        with pytest.raises(UserError, match=f"{size} finite numbers"):
            env.step(action)
    np.testing.assert_array_equal(env.observe().frame, before.frame)


def test_bad_settings_are_refused_in_words(name: str, env: SimulatedEnv) -> None:
    with pytest.raises(UserError, match="pixels a side"):
        make(name, (4, 64))
    for count in (0, 99):
        with pytest.raises(UserError, match="objects"):
            env.reset(seed=0, options={"num_objects": count})
    with pytest.raises(UserError, match="inside the 24x32 frame"):
        env.pick(Pixel(24.0, 3.0))


def test_held_out_objects_look_different(name: str, env: SimulatedEnv) -> None:
    held_out = make(name, SIZE, held_out=True)
    training_frame = env.reset(seed=8)[0]["frame"]
    assert (held_out.reset(seed=8)[0]["frame"] != training_frame).any()
    held_out.close()
    held_out.close()  # a second time does nothing


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UserError, match="choose one of dot, push, push4, pusht"):
        make("pull")


def test_every_env_is_known_to_gymnasium() -> None:
    assert GYMNASIUM_IDS.keys() == ENVS.keys()
