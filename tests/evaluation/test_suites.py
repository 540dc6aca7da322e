"""Tasks: a straight push does each, they follow from their seed, and fingerprints identify them."""

from dataclasses import replace

import numpy as np
import pytest

from visual_foresight.control.judge import on_height
from visual_foresight.envs.dot import DotEnv
from visual_foresight.envs.registry import make
from visual_foresight.evaluation import suites
from visual_foresight.evaluation.suites import (
    SUITES,
    Suite,
    begin,
    find_task,
    make_task,
)
from visual_foresight.evaluation.visible_pixels import middle
from visual_foresight.interfaces import require_judge
from visual_foresight.types import Pixel, UserError

DOTS = Suite("dots", 0.05, 0.08, env="dot", num_steps=3, behind_m=0.0)


@pytest.fixture(scope="module")
def push():
    env = make("push", (48, 64))
    yield env
    env.close()


@pytest.mark.parametrize("name", ["near", "far"])
def test_a_task_can_be_done_by_a_straight_push(push, name) -> None:
    suite = SUITES[name]
    for index in range(2):
        task = make_task(push, suite, 5, index)
        (point,) = begin(push, task)
        pixel, world = push.where(point)
        assert point.kind == "object"
        assert pixel.distance(task.source) < 0.5
        assert suite.low_m <= np.linalg.norm(task.goal_m - world[:2]) <= suite.high_m
        assert task.distance_m == pytest.approx(
            np.linalg.norm(task.goal_m - world[:2]), abs=1e-9
        )
        assert task.target.inside(48, 64)
        np.testing.assert_allclose(
            on_height(push.project, task.target, world), task.goal_m, atol=1e-6
        )
        push_m = task.goal_m - world[:2]
        centers = push.truth()[:, :2]
        mine = np.linalg.norm(centers - world[:2], axis=1).argmin()
        low, high = np.array(push.workspace.low), np.array(push.workspace.high)
        behind = centers[mine] - suite.behind_m * push_m / np.linalg.norm(push_m)
        for place in (behind, centers[mine] + push_m):
            assert ((low <= place) & (place <= high)).all()
        others = np.delete(centers, mine, axis=0)
        way = centers[mine] + push_m - behind
        for share in np.linspace(0, 1, 30):
            away_m = np.linalg.norm(others - (behind + share * way), axis=1)
            assert (away_m > suite.corridor_m).all()


def test_other_frames_get_the_same_scene_point_and_goal(push) -> None:
    published = require_judge(make("push"), "this test")
    suite = SUITES["near"]
    for index in range(3):
        drawn = make_task(published, suite, 0, index)
        assert find_task(published, suite, 0, index) == drawn
        task = find_task(push, suite, 0, index)
        assert task.frame_size == (48, 64) and task.fingerprint != drawn.fingerprint
        same = (task.env_seed, task.goal_m, task.distance_m)
        assert same == (drawn.env_seed, drawn.goal_m, drawn.distance_m)
        (drawn_point,) = begin(published, drawn)
        (point,) = begin(push, task)
        place_m = push.where(point)[1]
        assert point.kind == "object"
        np.testing.assert_allclose(place_m, published.where(drawn_point)[1], atol=0.005)
        seen_m = on_height(push.project, task.target, place_m)
        np.testing.assert_allclose(seen_m, task.goal_m, atol=0.005)
    published.close()


def test_frames_of_another_scene_get_a_task_of_their_own() -> None:
    """A larger frame shows a larger world of the dot."""
    env = DotEnv((20, 28))
    assert find_task(env, DOTS, 1, 0) == make_task(env, DOTS, 1, 0)


def test_a_task_is_a_function_of_its_seed() -> None:
    env, other = DotEnv((20, 28)), DotEnv((20, 28))
    first = [make_task(env, DOTS, 1, index) for index in (0, 1, 2)]
    again = [make_task(other, DOTS, 1, index) for index in (2, 1, 0)][::-1]
    assert first == again
    assert len({task.fingerprint for task in first}) == 3
    assert make_task(env, DOTS, 2, 0) != first[0]


def test_the_fingerprint_tells_protocols_apart_but_not_rounding() -> None:
    env = DotEnv((20, 28))
    task = make_task(env, DOTS, 1, 0)
    assert replace(task, suite=replace(DOTS, num_steps=4)).fingerprint != task.fingerprint
    assert replace(task, frame_size=(40, 28)).fingerprint != task.fingerprint
    moved = replace(task, goal_m=(task.goal_m[0] + 1e-3, task.goal_m[1]))
    assert moved.fingerprint != task.fingerprint
    x = round(task.goal_m[0], 4)
    y = round(task.goal_m[1], 4)
    assert replace(task, goal_m=(x + 1e-12, y - 1e-12)).fingerprint == task.fingerprint


def test_the_middle_is_one_of_the_pixels() -> None:
    assert middle([Pixel(0, 0), Pixel(0, 4), Pixel(2, 3), Pixel(8, 3)]) == Pixel(2, 3)


def test_an_impossible_suite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "MAX_SCENES", 3)
    with pytest.raises(UserError, match="'giant'"):
        make_task(DotEnv((20, 28)), replace(DOTS, name="giant", low_m=1.0, high_m=2.0), 0, 0)
