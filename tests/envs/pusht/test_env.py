"""What `pusht` has beyond what every env promises (`tests/envs/test_contract.py`)."""

import numpy as np
import pytest

from visual_foresight.envs.pusht.env import PushTEnv
from visual_foresight.interfaces import Drawable
from visual_foresight.types import Pixel


@pytest.fixture
def env():
    env = PushTEnv((64, 64))
    env.reset(seed=3)
    return env


def push(env: PushTEnv, steps: int) -> None:
    """Send the agent to the letter and on."""
    for _ in range(steps):
        gap = env.truth()[0, :2] - env.observe().state[:2]
        env.move(gap / 0.04)


def test_a_picked_point_moves_and_turns_with_the_letter(env):
    """Three points keep their distances, and the angle between them is that of the pose."""
    rows, cols = np.nonzero(np.abs(env.observe().frame.astype(int) - 242).sum(2) > 300)
    pixels = [Pixel(float(row), float(col)) for row, col in zip(rows, cols, strict=True)]
    points = [point for point in map(env.pick, pixels) if point.kind == "object"]
    first, last = points[0], points[-1]
    before = np.array([env.where(point)[1][:2] for point in (first, last)])
    pose = env.truth()[0]
    push(env, 14)
    after = np.array([env.where(point)[1][:2] for point in (first, last)])
    turned = env.truth()[0]
    assert np.linalg.norm(turned[:2] - pose[:2]) > 0.02
    one, other = before[1] - before[0], after[1] - after[0]
    assert np.linalg.norm(one) == pytest.approx(np.linalg.norm(other), abs=1e-9)
    assert np.linalg.norm(one) > 0.05

    def angle(quaternion):
        return 2 * np.arctan2(quaternion[2], quaternion[3])

    turn = angle(turned[3:]) - angle(pose[3:])
    cos, sin = np.cos(turn), np.sin(turn)
    np.testing.assert_allclose(other, [[cos, -sin], [sin, cos]] @ one, atol=1e-9)
    # and what is seen there is still the letter
    assert env.pick(env.where(first)[0]).kind == "object"


def test_the_agents_point_moves_with_the_agent(env):
    x, y = env.observe().state[:2]
    point = env.pick(env.project(np.array([x + 0.005, y, 0.0])))
    assert point.kind == "arm"
    env.step(np.array([0.5, -0.5]))
    moved = env.observe().state[:2] - (x, y)
    np.testing.assert_allclose(
        env.where(point)[1][:2], (x + 0.005 + moved[0], y + moved[1]), atol=1e-6
    )


def test_an_action_takes_the_agent_nearly_all_the_way(env):
    env.restore(env.save())
    start = env.observe().state[:2]
    env.move(np.array([1.0, 0.0]))
    state = env.observe().state
    assert state[0] - start[0] == pytest.approx(0.04 * (1 - 6 * np.exp(-5)), abs=0.0015)
    assert state[2] == pytest.approx(0.04 * 10 * 5 * np.exp(-5), abs=0.005)


def test_the_picture_for_people_is_the_scene_of_the_frame(env):
    drawable: Drawable = env
    large = drawable.draw(4)
    assert large.shape == (256, 256, 3)
    small = large.reshape(64, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(small - env.observe().frame).mean() < 1.5
