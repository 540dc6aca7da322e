"""Every learned predictor is made for the frames of its data, whatever their size."""

from typing import Any

import pytest
import torch

from tests.fakes.clips import noise_clip
from visual_foresight.interfaces import FramesOnly
from visual_foresight.predictors.registry import create, learned
from visual_foresight.predictors.rollouts import beginning, training_rollout
from visual_foresight.types import Clip, UserError
from visual_foresight.vision.pixel_maps import map_size_of

SIZES = [(96, 96), (48, 80), (80, 48)]


def data(size: tuple[int, int]) -> dict[str, Any]:
    """States in [0, 1] are anywhere in the frame."""
    height, width = size
    return {
        "frame_size": size,
        "action_size": 3,
        "state_size": 5,
        "channels": 8,
        "homography": ((1 / height, 0.0, 0.0), (0.0, 1 / width, 0.0), (0.0, 0.0, 1.0)),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", learned())
def test_it_learns_and_imagines_frames_of_any_size(name: str, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model: Any = create(name, data(size))
    noise = noise_clip(2, model.context + 1, size, action_size=3, state_size=5, seed=0)
    clip = Clip(noise.actions, 0.1 + 0.08 * noise.frames, 0.25 + noise.states / 4)
    model.calibrate(clip)
    num_pixels = 0 if isinstance(model, FramesOnly) else 1
    places = torch.tensor([[[size[0] - 6.0, size[1] - 9.0]]])[:, :num_pixels].expand(2, -1, -1)
    learnt, _ = training_rollout(model, clip, places, torch.Generator().manual_seed(0), 1.0)
    assert learnt.pixel_maps.shape == (2, 2, num_pixels, *map_size_of(size))
    model.eval().requires_grad_(False)
    carry = model.designate(model.observe(beginning(clip, model.context)), places)
    imagined = model.imagine(carry, noise.actions[:, :2], decode=True)
    assert imagined.frame_size == size
    assert imagined.frames.shape == (2, 2, 3, *size) and imagined.frames.isfinite().all()
    assert imagined.pixel_maps.shape == (2, 2, num_pixels, *map_size_of(size))
    sums = imagined.pixel_maps.sum((-2, -1))
    torch.testing.assert_close(sums, torch.ones_like(sums))


@pytest.mark.parametrize("name", learned())
def test_frames_that_it_cannot_have_are_refused_with_others_named(name: str) -> None:
    with pytest.raises(UserError, match="multiples of 8 are needed, got 90x50.* of 88x48 for"):
        create(name, data((90, 50)))
