"""What the flow model alone promises, on a tiny non-square network.

The laws of all predictors are in `test_contract`.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.fakes.clips import noise_clip
from visual_foresight.envs.pushing.cameras import OFF_PX, TOUCH_HEIGHT_M
from visual_foresight.envs.registry import make
from visual_foresight.interfaces import require_judge
from visual_foresight.predictors.flow.carry import Carry, Foreground
from visual_foresight.predictors.flow.model import Flow, FlowConfig
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.training.clip_sampler import Batch
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.losses import objective
from visual_foresight.types import Clip, Pixel, UserError
from visual_foresight.vision.pixel_maps import grid, splat_places

SIZE = (16, 24)
CONFIG = FlowConfig(frame_size=SIZE, action_size=3, state_size=5, channels=8)


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
    ahead = model.robot(states[:, 0], actions[:, 0])
    torch.testing.assert_close(ahead[:, :2], states[:, 1, :2], atol=2e-3, rtol=0)


def test_the_fingertip_is_seen_where_the_calibrated_camera_says() -> None:
    env = require_judge(make("push"), "the test")
    try:
        env.reset(seed=3)
        model = Flow(
            replace(
                CONFIG,
                frame_size=env.info.frame_size,
                state_size=4,
                action_size=2,
                homography=env.info.view.homography or (),
            )
        )
        state = env.observe().state
        row, col = model.finger_px(torch.from_numpy(state[None]))[0].tolist()
        seen = env.project(np.array([*state[:2], TOUCH_HEIGHT_M]))
        assert Pixel(seen.row - OFF_PX, seen.col + OFF_PX).distance(Pixel(row, col)) < 1e-3
    finally:
        env.close()


def test_frames_that_cannot_be_drawn_are_refused_in_a_sentence() -> None:
    with pytest.raises(UserError, match="multiples of 8 are needed, got"):
        Flow(replace(CONFIG, frame_size=(60, 64)))


def test_what_is_pushed_away_leaves_the_empty_table_behind() -> None:
    """Where something stood, and to which nothing came, is what calibration saw there."""
    model: Any = Flow(CONFIG)
    model.background.copy_(torch.rand(3, *SIZE))
    objects = torch.zeros(1, 4, *SIZE)
    objects[:, :, 4:8, 4:8] = 1  # white and opaque
    origin = grid(SIZE, SIZE).permute(2, 0, 1)[None].clone()
    origin[:, :, 4:8, 4:8] = 12.0  # nothing comes from there
    step = Carry(
        Foreground(objects, torch.zeros(1, 16)),
        torch.zeros(1, 5),
        origin,
        Points.at(torch.zeros(1, 0, 2), SIZE),
    )
    with torch.inference_mode():
        model.arm.finest.bias.fill_(-40)  # no arm
        torch.testing.assert_close(
            model.decoded([step])[0, 0], model.background, atol=1e-4, rtol=0
        )
        rests = replace(step, origin=grid(SIZE, SIZE).permute(2, 0, 1)[None])
        assert (model.decoded([rests])[0, 0, :, 5:7, 5:7] > 0.999).all()


def test_it_learns_one_clip_to_below_persistence() -> None:
    """A square moves with the action; soon its place is predicted better than by persistence."""
    torch.manual_seed(0)
    model = Flow(
        replace(CONFIG, homography=((0.05, 0.0, 0.0), (0.0, 0.05, 0.0), (0.0, 0.0, 1.0)))
    )
    actions = torch.zeros(2, 5, 3)
    actions[0, :, 1], actions[1, :, 0] = 1.0, 1.0
    begin = torch.tensor([[6.0, 4.0], [4.0, 12.0]])
    moves = torch.stack([torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0])])
    places = begin[:, None] + torch.arange(6.0)[None, :, None] * moves[:, None]
    states = torch.cat([places / 20, torch.zeros(2, 6, 3)], -1)
    frames = (
        0.3
        + 0.6
        * splat_places(places, (8, 12), SIZE)
        .repeat_interleave(2, -1)
        .repeat_interleave(2, -2)[:, :, None]
    )
    batch = Batch(
        Clip(actions, frames.expand(2, 6, 3, *SIZE).contiguous(), states),
        places[:, :, None],
        torch.ones(2, 6, 1, dtype=torch.bool),
    )
    config = TrainConfig(data=Path(), out=Path())
    model.calibrate(batch.clip)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    before = objective(model, batch, config, step=0)[1]
    for _ in range(120):
        loss, after = objective(model, batch, config, step=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    persistence_px = (places[:, 2:] - places[:, 1:2]).norm(dim=-1).mean()
    assert after["track_px"] < 0.5 * persistence_px
    assert after["pixels"] < 0.7 * before["pixels"]


def test_frames_are_learnt_from_in_a_sixth_of_the_steps_and_points_in_all() -> None:
    torch.manual_seed(0)
    model = Flow(CONFIG)
    clip = noise_clip(2, 4, SIZE, action_size=3, state_size=5)
    places = torch.tensor([[[6.0, 9.0]], [[8.0, 12.0]]])
    drawn = []
    for seed in range(60):
        model.zero_grad()
        imagined, auxiliary_loss = model.training_rollout(
            clip, places, torch.Generator().manual_seed(seed), 0.0
        )
        loss = imagined.frames.sum() + imagined.pixel_maps.square().sum() + auxiliary_loss
        loss.backward()
        drawn.append(imagined.frames.shape[1] > 0)
        assert (model.arm.middle.weight.grad is not None) == drawn[-1]
        assert imagined.pixel_maps.requires_grad
    assert 3 < sum(drawn) < 20
