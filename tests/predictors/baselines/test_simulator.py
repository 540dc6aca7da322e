"""The ceiling: exact on the dot, it leaves the real world alone, and it draws only when asked."""

import pytest
import torch

from tests.fakes.clips import clip_from, clip_of
from visual_foresight.envs.dot import PIXEL_M, STEP_PX, DotEnv, Point, Snapshot, Square
from visual_foresight.envs.registry import make
from visual_foresight.interfaces import require_simulator
from visual_foresight.predictors.baselines.simulator import Simulator
from visual_foresight.types import Pixel, to_float
from visual_foresight.vision.pixel_maps import expected

SIZE = (20, 28)
ACTIONS = torch.tensor(
    [[[1.0, 0.0], [0.0, 0.5], [-0.25, 0.0]], [[0.0, -1.0], [0.5, 0.5], [0.0, 0.0]]]
)
PIXELS = torch.tensor([[[9.0, 11.0]]])


@pytest.fixture
def world() -> tuple[DotEnv, DotEnv, Simulator]:
    env, mirror = DotEnv(SIZE), DotEnv(SIZE)
    env.reset(seed=2)
    env.restore(Snapshot(Square((8 * PIXEL_M, 12 * PIXEL_M), (255, 0, 0))))
    mirror.reset(seed=9)
    return env, mirror, Simulator(env, mirror, (env.pick(Pixel(9, 11)),))


def test_maps_are_where_the_point_goes(world) -> None:
    env, _, simulator = world
    carry = simulator.designate(simulator.observe(clip_from(env)), PIXELS)
    imagined = simulator.imagine(carry, ACTIONS)
    places = torch.tensor([9.0, 11.0]) + STEP_PX * ACTIONS.cumsum(1)
    for n in range(2):
        for t in range(3):
            (pixel,) = expected(imagined.pixel_maps[n, t], SIZE)
            assert (pixel.row, pixel.col) == pytest.approx(
                tuple(places[n, t].tolist()), abs=1e-5
            )
    torch.testing.assert_close(imagined.pixel_maps.sum((-2, -1)), torch.ones(2, 3, 1))
    assert not imagined.lost.any()
    assert imagined.frames.shape[:2] == (2, 0)
    assert imagined.frame_size == SIZE


def test_frames_are_what_will_be_seen(world) -> None:
    env, _, simulator = world
    imagined = simulator.imagine(simulator.observe(clip_from(env)), ACTIONS[:1], decode=True)
    for t in range(3):
        env.step(ACTIONS[0, t].numpy())
        assert torch.equal(imagined.frames[0, t], to_float(env.observe().frame))


def test_the_real_world_is_left_alone_and_nothing_is_drawn(world, monkeypatch) -> None:
    env, mirror, simulator = world
    before = env.save()
    carry = simulator.designate(simulator.observe(clip_from(env)), PIXELS)
    monkeypatch.setattr(mirror, "observe", lambda: pytest.fail("a frame was drawn"))
    simulator.imagine(carry, ACTIONS)
    assert env.save() == before


def test_imagining_in_two_parts_is_imagining_at_once(world) -> None:
    env, _, simulator = world
    carry = simulator.designate(simulator.observe(clip_from(env)), PIXELS)
    whole = simulator.imagine(carry, ACTIONS, decode=True)
    first = simulator.imagine(carry, ACTIONS[:, :2])
    rest = simulator.imagine(first.carry, ACTIONS[:, 2:], decode=True)
    assert torch.equal(whole.pixel_maps[:, 2:], rest.pixel_maps)
    assert torch.equal(whole.frames[:, 2:], rest.frames)


def test_a_point_outside_the_frame_stays_at_the_border() -> None:
    env, mirror = DotEnv(SIZE), DotEnv(SIZE)
    env.reset(seed=2)
    env.restore(Snapshot(Square((8 * PIXEL_M, 12 * PIXEL_M), (255, 0, 0))))
    simulator = Simulator(env, mirror, (Point("object", (40 * PIXEL_M, 0.0), on_dot=True),))
    carry = simulator.designate(simulator.observe(clip_from(env)), PIXELS)
    imagined = simulator.imagine(carry, ACTIONS[:1, :1])
    assert imagined.pixel_maps[0, 0, 0, -1].sum() == pytest.approx(1)


def test_no_maps_are_made_when_none_are_asked_for(world) -> None:
    env, _, simulator = world
    carry = simulator.designate(simulator.observe(clip_from(env)), PIXELS)
    carry = simulator.designate(carry, PIXELS[:, :0])
    assert simulator.imagine(carry, ACTIONS).pixel_maps.shape == (2, 3, 0, 10, 14)
    with pytest.raises(ValueError, match="1 points are known, but 3 pixels are designated"):
        simulator.designate(carry, PIXELS.expand(1, 3, 2))


def test_what_the_mirror_went_through_before_leaves_no_trace() -> None:
    real = require_simulator(make("push", (16, 20)), "the test")
    mirror = require_simulator(make("push", (16, 20)), "the test")
    real.reset(seed=4, options={"num_objects": 2})
    to_object = torch.from_numpy(real.truth()[0, :2] - real.observe().state[:2])
    push = (to_object / torch.tensor(real.info.require_workspace("the test").step)).float()
    actions = (push / push.abs().max()).expand(2, 8, 2)
    point = type(real.pick(Pixel(8, 10)))("object", 0, (0.0, 0.0, 0.0))
    simulator = Simulator(real, mirror, (point,))
    carry = simulator.observe(clip_of(torch.zeros(1, 3, 16, 20)))
    carry = simulator.designate(carry, torch.tensor([[[8.0, 10.0]]]))
    first = simulator.imagine(carry, actions).pixel_maps
    second = simulator.imagine(carry, actions).pixel_maps
    assert torch.equal(first, second)
    assert not torch.equal(first[0, 0], first[0, -1])  # the object was pushed
    real.close()
    mirror.close()
