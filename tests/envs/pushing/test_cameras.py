"""The cameras of the pushing table: each one calibrated, and the first one unchanged by others."""

from collections.abc import Iterator

import numpy as np
import pytest

from visual_foresight.envs.pushing.cameras import OFF_PX, TOUCH_HEIGHT_M
from visual_foresight.envs.pushing.env import PushEnv
from visual_foresight.types import Pixel, UserError

SIZE = (48, 64)


@pytest.fixture(scope="module")
def both() -> Iterator[PushEnv]:
    env = PushEnv(SIZE, views=("front", "side"))
    yield env
    env.close()


def test_a_second_camera_changes_nothing_for_the_first(both: PushEnv) -> None:
    alone = PushEnv(SIZE)
    for env in (alone, both):
        env.reset(seed=3)
        env.step([0.5, -1.0])
    seen = both.observe()
    assert list(seen.frames) == list(both.info.views) == ["front", "side"]
    np.testing.assert_array_equal(seen.frame, alone.observe().frame)
    np.testing.assert_array_equal(seen.state, alone.observe().state)
    assert (seen.frames["side"] != seen.frame).any()
    assert both.info.view == alone.info.view
    np.testing.assert_array_equal(both.segment(), alone.segment())
    alone.close()


def test_the_first_view_is_the_judges(both: PushEnv) -> None:
    beside = PushEnv(SIZE, views=("side",))
    for env in (beside, both):
        env.reset(seed=3)
    np.testing.assert_array_equal(beside.observe().frame, both.observe().frames["side"])
    assert beside.info.view == both.info.views["side"]
    point = np.array([0.5, 0.1, TOUCH_HEIGHT_M])
    assert beside.project(point).distance(both.project(point)) > 5
    objects = beside.segment()[::2, ::2] >= 0
    rows, cols = np.nonzero(objects)
    assert beside.pick(Pixel(float(rows[0]), float(cols[0]))).kind == "object"
    drawn = beside.draw(2)
    assert drawn.shape == (2 * SIZE[0], 2 * SIZE[1], 3)
    assert (both.draw(2) != drawn).any()
    beside.close()


def test_two_cameras_see_the_same_point_where_their_homographies_say(both: PushEnv) -> None:
    worlds = {name: PushEnv(SIZE, views=(name,)) for name in both.info.views}
    for x, y in ((0.36, -0.2), (0.36, 0.2), (0.72, -0.2), (0.72, 0.2), (0.5, 0.07)):
        for name, world in worlds.items():
            seen = world.project(np.array([x, y, TOUCH_HEIGHT_M]))
            assert seen.inside(*SIZE), f"the view {name} shows the whole workspace"
            # What is drawn is shifted (see `OFF_PX`), and homographies are for what is drawn.
            drawn = np.array([seen.row - OFF_PX, seen.col + OFF_PX, 1])
            *place, scale = both.info.views[name].calibration("the test") @ drawn
            np.testing.assert_allclose(np.divide(place, scale), (x, y), atol=1e-9)
    for world in worlds.values():
        world.close()


def test_what_both_cameras_draw_is_where_their_homographies_say(both: PushEnv) -> None:
    """The middle of a lone object, as each camera draws it, is near its true place."""
    both.reset(seed=11, options={"num_objects": 1})
    truth = both.truth()[0, :2]
    for name, view in both.info.views.items():
        world = PushEnv(SIZE, views=(name,))
        world.restore(both.save())
        rows, cols = np.nonzero(world.segment() == 0)
        center = np.array([rows.mean() / 2 - 0.25, cols.mean() / 2 - 0.25, 1])
        *place, scale = view.calibration("the test") @ center
        np.testing.assert_allclose(np.divide(place, scale), truth, atol=0.02)
        world.close()


def test_views_that_are_not_there_are_refused() -> None:
    with pytest.raises(UserError, match="no view 'top': choose among front, side"):
        PushEnv(SIZE, views=("front", "top"))
    with pytest.raises(UserError, match="'side' is named twice"):
        PushEnv(SIZE, views=("side", "side"))
