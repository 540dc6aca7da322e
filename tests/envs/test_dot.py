"""The dot: every answer is known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visual_foresight.envs.dot import GROUND, PIXEL_M, STEP_PX, DotEnv, Snapshot, Square
from visual_foresight.types import Pixel, UserError

SIZE = (20, 28)


def make_at(row: float, col: float) -> DotEnv:
    env = DotEnv(SIZE)
    env.reset(seed=3)
    env.restore(Snapshot(Square((row * PIXEL_M, col * PIXEL_M), (255, 0, 0))))
    return env


def test_draws_the_dot_where_it_is() -> None:
    frame = make_at(6, 10).observe().frame
    expected = np.full((*SIZE, 3), GROUND, np.uint8)
    expected[4:9, 8:13] = (255, 0, 0)
    np.testing.assert_array_equal(frame, expected)


def test_a_place_between_pixels_shares_its_colour() -> None:
    ground, dot = 128, 255
    line = make_at(6.25, 10).observe().frame[:, 10, 0]
    assert list(line[3:10]) == [
        ground,
        round(ground + 0.75 * (dot - ground)),
        255,
        255,
        255,
        255,
        round(ground + 0.25 * (dot - ground)),
    ]


def test_render_is_the_frame() -> None:
    env = make_at(6, 10)
    np.testing.assert_array_equal(env.render(), env.observe().frame)


@pytest.mark.parametrize("action", [(1, 0), (0, 1), (-0.5, 0.25), (-1, 1)])
def test_an_action_moves_the_picture_by_whole_pixels(action: tuple[float, float]) -> None:
    env = make_at(9, 13)
    before = env.observe()
    observation, *_ = env.step(action)
    shift = tuple(int(part * STEP_PX) for part in action)
    np.testing.assert_array_equal(
        observation["frame"], np.roll(before.frame, shift, axis=(0, 1))
    )
    np.testing.assert_array_equal(
        observation["state"] - before.state, np.multiply(shift, PIXEL_M)
    )


def test_x_is_down_and_y_is_right() -> None:
    env = make_at(9, 13)
    env.step((1, 0))
    assert env.where(env.pick(Pixel(13, 13)))[0] == Pixel(13, 13)
    assert env.pick(Pixel(13, 13)).kind == "object"
    assert env.pick(Pixel(9, 13)).kind == "background"


def test_a_picked_point_goes_with_the_dot_and_the_ground_stays() -> None:
    env = make_at(9, 13)
    on_dot, on_ground = env.pick(Pixel(10, 12)), env.pick(Pixel(1, 2))
    assert (on_dot.kind, on_ground.kind) == ("object", "background")
    env.step((0.5, -1))
    assert env.where(on_dot)[0] == Pixel(12, 8)
    assert env.where(on_ground)[0] == Pixel(1, 2)
    np.testing.assert_array_equal(env.where(on_dot)[1], [12 * PIXEL_M, 8 * PIXEL_M, 0])
    np.testing.assert_array_equal(env.truth(), [[11 * PIXEL_M, 9 * PIXEL_M, 0, 0, 0, 0, 1]])


def test_the_dot_passes_over_what_rests() -> None:
    red, green, blue = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    env = DotEnv(SIZE)
    lower = Square((9 * PIXEL_M, 15 * PIXEL_M), blue)
    upper = Square((9 * PIXEL_M, 13 * PIXEL_M), green)
    env.restore(Snapshot(Square((9 * PIXEL_M, 6 * PIXEL_M), red), (lower, upper)))
    point = env.pick(Pixel(9, 12))
    first = env.observe().frame
    assert point.kind == "object" and tuple(first[9, 12]) == green
    assert tuple(first[9, 15]) == green and tuple(first[9, 16]) == blue
    seen = [tuple(env.step((0, 1))[0]["frame"][9, 12]) for _ in range(4)]
    # the dot covers columns 8 to 12, 12 to 16, ...; at first 4 to 8
    assert seen == [red, red, green, green]
    assert env.where(point)[0] == Pixel(9, 12)
    np.testing.assert_array_equal(env.truth()[:, 1], [22 * PIXEL_M, 15 * PIXEL_M, 13 * PIXEL_M])
    np.testing.assert_array_equal(env.observe().frame[:, 11:16], first[:, 11:16])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_the_workspace_says_what_an_action_does(
    actions: list[tuple[float, float]], seed: int
) -> None:
    env = DotEnv(SIZE)
    env.reset(seed=seed)
    wanted = torch.tensor([actions], dtype=torch.float64)
    start = torch.from_numpy(env.truth()[0, :2])
    kept = env.workspace.clip(start, wanted)[0]
    for action in actions:
        env.step(action)
    reached = start + (kept * torch.tensor(env.workspace.step)).sum(0)
    np.testing.assert_allclose(env.truth()[0, :2], reached, atol=1e-12)


def test_one_object_is_the_dot_alone() -> None:
    env = DotEnv(SIZE)
    alone = env.reset(seed=4)[0]["frame"]
    one = env.reset(seed=4, options={"num_objects": 1})[0]["frame"]
    np.testing.assert_array_equal(alone, one)


def test_what_rests_is_fainter_than_the_dot() -> None:
    def strength(color: tuple[int, int, int]) -> float:
        return float(np.abs(np.subtract(color, GROUND)).max())

    env = DotEnv(SIZE)
    for seed in range(40):
        env.reset(seed=seed, options={"num_objects": 3})
        now = env.save()
        faint = max(strength(square.color) for square in now.resting)
        assert faint < 0.6 * strength(now.dot.color)


def test_held_out_colours_are_not_training_colours() -> None:
    def colours(held_out: bool) -> set[tuple[int, int, int]]:
        env = DotEnv(SIZE, held_out=held_out)
        seen = set()
        for seed in range(40):
            env.reset(seed=seed, options={"num_objects": 3})
            seen |= {square.color for square in (env.save().dot, *env.save().resting)}
        return seen

    # Held out: blue is the strongest part; in training it never is.
    assert all(blue > max(red, green) - 1 for red, green, blue in colours(True))
    assert all(blue < max(red, green) for red, green, blue in colours(False))


def test_bad_input_is_named() -> None:
    env = DotEnv(SIZE)
    env.reset(seed=0)
    with pytest.raises(UserError, match="4x28"):
        DotEnv((4, 28))
    with pytest.raises(UserError, match="num_objects = 0"):
        env.reset(seed=0, options={"num_objects": 0})
