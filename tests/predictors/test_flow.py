"""Laws of the flagship, on a tiny non-square network; what it learns is measured by `evaluate`, not here."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from visual_foresight.envs import make
from visual_foresight.envs.push import TOUCH_HEIGHT_M
from visual_foresight.examples import Batch
from visual_foresight.pixel_maps import splat_places
from visual_foresight.predictors.flow import Flow, FlowConfig
from visual_foresight.predictors.motion import move_maps, resize_motion
from visual_foresight.training import TrainConfig, objective
from visual_foresight.types import Clip, Pixel, Prediction

SIZE = (16, 24)
CONFIG = FlowConfig(frame_size=SIZE, action_size=3, state_size=5, channels=8)


@pytest.fixture
def model() -> Flow:
    torch.manual_seed(0)
    model = Flow(CONFIG)
    for parameter in model.parameters():  # a new network takes everything from the first frame: no law would be tested
        torch.nn.init.normal_(parameter, std=0.2)
    return model


def clip(batch: int, steps: int, seed: int = 0) -> Clip:
    rng = torch.Generator().manual_seed(seed)
    return Clip(
        torch.rand(batch, steps, 3, generator=rng) * 2 - 1,
        torch.rand(batch, steps + 1, 3, *SIZE, generator=rng),
        torch.rand(batch, steps + 1, 5, generator=rng),
    )


def imagine(model: Flow, actions: torch.Tensor, decode: bool = True, batch: int = 1) -> Prediction:
    maps = splat_places(torch.tensor([[6.0, 9.0], [11.0, 3.0]]), (8, 12), SIZE).expand(len(actions), 2, 8, 12)
    with torch.inference_mode():
        return model.imagine(model.observe(clip(batch, 1)), actions, maps, decode)


def test_shapes_and_distributions(model: Flow) -> None:
    prediction = imagine(model, clip(4, 6).actions)
    assert prediction.frames.shape == (4, 6, 3, *SIZE)
    assert prediction.pixel_maps.shape == (4, 6, 2, 8, 12)
    torch.testing.assert_close(prediction.pixel_maps.sum((-2, -1)), torch.ones(4, 6, 2))
    assert ((prediction.frames >= 0) & (prediction.frames <= 1)).all()


def test_an_action_changes_only_what_comes_after_it(model: Flow) -> None:
    actions = clip(4, 6).actions
    changed = actions.clone()
    changed[:, 3] += 0.5
    one, two = imagine(model, actions), imagine(model, changed)
    torch.testing.assert_close(one.frames[:, :3], two.frames[:, :3])
    assert not torch.allclose(one.frames[:, 3:], two.frames[:, 3:])
    torch.testing.assert_close(one.pixel_maps[:, :3], two.pixel_maps[:, :3])
    assert not torch.allclose(one.pixel_maps[:, 3:], two.pixel_maps[:, 3:])


def test_candidates_do_not_see_one_another(model: Flow) -> None:
    actions = clip(5, 4).actions
    together = imagine(model, actions)
    for number in range(5):
        alone = imagine(model, actions[number : number + 1])
        torch.testing.assert_close(alone.frames[0], together.frames[number], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(alone.pixel_maps[0], together.pixel_maps[number], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("decode", [True, False])
def test_six_steps_are_four_and_two(model: Flow, decode: bool) -> None:
    actions = clip(3, 6).actions
    whole = imagine(model, actions, decode)
    begin = imagine(model, actions[:, :4], decode)
    with torch.inference_mode():
        end = model.imagine(begin.carry, actions[:, 4:], begin.pixel_maps[:, -1], decode)
    torch.testing.assert_close(torch.cat([begin.pixel_maps, end.pixel_maps], 1), whole.pixel_maps)
    torch.testing.assert_close(torch.cat([begin.frames, end.frames], 1), whole.frames)


def test_pixel_maps_do_not_depend_on_decoding(model: Flow) -> None:
    actions = clip(3, 5).actions
    seen, unseen = imagine(model, actions, True), imagine(model, actions, False)
    torch.testing.assert_close(seen.pixel_maps, unseen.pixel_maps)
    assert unseen.frames.shape == (3, 0, 3, *SIZE)


def test_imagining_leaves_no_trace(model: Flow) -> None:
    actions = clip(3, 5).actions
    first = imagine(model, actions)
    imagine(model, -actions)
    torch.testing.assert_close(imagine(model, actions).frames, first.frames, rtol=0, atol=0)


def test_no_designated_pixels_is_an_empty_axis(model: Flow) -> None:
    with torch.inference_mode():
        prediction = model.imagine(model.observe(clip(1, 1)), clip(2, 3).actions, torch.zeros(2, 0, 8, 12))
    assert prediction.pixel_maps.shape == (2, 3, 0, 8, 12)


def test_calibration_finds_how_actions_move_the_robot() -> None:
    rng = torch.Generator().manual_seed(1)
    actions = torch.rand(32, 6, 3, generator=rng) * 2 - 1
    states = torch.zeros(32, 7, 5)
    states[:, 0, :2] = torch.rand(32, 2, generator=rng)
    gain = torch.tensor([0.05, 0.08])
    for step in range(6):
        states[:, step + 1] = states[:, step]
        states[:, step + 1, :2] += actions[:, step, :2] * gain
    model = Flow(CONFIG)
    model.calibrate(Clip(actions, torch.zeros(32, 7, 3, *SIZE), states))
    ahead = model._next_state(states[:, 0], actions[:, 0])
    torch.testing.assert_close(ahead[:, :2], states[:, 1, :2], atol=2e-3, rtol=0)


def test_the_fingertip_is_seen_where_the_calibrated_camera_says() -> None:
    env = make("push")
    try:
        env.reset(seed=3)
        table = tuple(tuple(float(value) for value in row) for row in env.table)
        model = Flow(replace(CONFIG, frame_size=env.frame_size, state_size=4, action_size=2, table=table))
        state = env.observe().state
        row, col = model._finger_px(torch.from_numpy(state[None]))[0].tolist()
        seen = env.project(np.array([*state[:2], TOUCH_HEIGHT_M]))
        assert seen.distance(Pixel(row, col)) < 1e-3
    finally:
        env.close()


def test_it_learns_one_clip_to_below_still(model: Flow) -> None:
    """A square moves with the action: after a few steps of learning, its place is known better than `still` knows it."""
    torch.manual_seed(0)
    model = Flow(replace(CONFIG, table=((0.05, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, 0.0, 1.0))))
    actions = torch.zeros(2, 5, 3)
    actions[0, :, 1], actions[1, :, 0] = 1.0, 1.0
    begin = torch.tensor([[6.0, 4.0], [4.0, 12.0]])
    moves = torch.stack([torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0])])
    places = begin[:, None] + torch.arange(6.0)[None, :, None] * moves[:, None]
    states = torch.cat([places / 20, torch.zeros(2, 6, 3)], -1)
    frames = (
        0.3 + 0.6 * splat_places(places, (8, 12), SIZE).repeat_interleave(2, -1).repeat_interleave(2, -2)[:, :, None]
    )
    batch = Batch(
        Clip(actions, frames.expand(2, 6, 3, *SIZE).contiguous(), states),
        places[:, :, None],
        torch.ones(2, 6, 1, dtype=torch.bool),
    )
    config = TrainConfig(data=Path(), out=Path())
    model.calibrate(batch.clip)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    before = objective(model, batch, config)[1]
    for _ in range(120):
        loss, after = objective(model, batch, config)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    still_px = (places[:, 2:] - places[:, 1:2]).norm(dim=-1).mean()
    assert after["track_px"] < 0.5 * still_px
    assert after["pixels"] < 0.7 * before["pixels"]


def test_the_motions_shown_are_those_that_are_applied(model: Flow) -> None:
    actions, now = clip(4, 3).actions, torch.rand(4, 2, 8, 12, generator=torch.Generator().manual_seed(1))
    now = now / now.sum((-2, -1), keepdim=True)
    with torch.inference_mode():
        carry = model.observe(clip(1, 1))
        imagined = model.imagine(carry, actions, now)
        for step, motion in enumerate(model.motions(carry, actions)):
            now, lost = move_maps(resize_motion(motion, (8, 12)), now, SIZE)
            torch.testing.assert_close(imagined.pixel_maps[:, step], now)
            torch.testing.assert_close(imagined.lost[:, step], lost)
