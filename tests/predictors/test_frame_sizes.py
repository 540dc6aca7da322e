"""Every learned predictor is made for the frames of its data, whatever their size."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch.nn import functional

from tests.fakes.clips import noise_clip
from visual_foresight.interfaces import FramesOnly, MotionPredictor, Sampler, Segments
from visual_foresight.predictors.checkpoints import load, read_config, save
from visual_foresight.predictors.registry import create, learned
from visual_foresight.predictors.rollouts import beginning, training_rollout
from visual_foresight.types import Clip
from visual_foresight.vision.pixel_maps import expected_places, map_size_of

SIZES = [(96, 96), (48, 80), (50, 70), (19, 17)]


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


@pytest.mark.parametrize("name", ["flow", "stochastic", "dna", "cdna", "foresight"])
def test_what_is_imagined_of_padded_frames_is_what_the_whole_frame_shows(name: str) -> None:
    """A model of padded frames sees a frame that goes on as its border is, and is cut."""
    size, whole = (22, 29), (24, 32)
    torch.manual_seed(0)
    padded: Any = create(name, data(size))
    torch.manual_seed(0)
    known = {**data(whole), "homography": data(size)["homography"]}
    model: Any = create(name, known)
    noise = noise_clip(2, 3, size, action_size=3, state_size=5, seed=0)
    frames = functional.pad(noise.frames.flatten(0, 1), (0, 3, 0, 2), mode="replicate")
    larger = replace(noise, frames=frames.unflatten(0, noise.frames.shape[:2]))
    places = torch.tensor([[[9.0, 13.0], [21.0, 28.0]]])
    imagined = []
    for each, clip in ((padded, noise), (model, larger)):
        each.calibrate(clip)
        each.eval().requires_grad_(False)
        carry = each.designate(each.observe(beginning(clip, 2)), places)
        imagined.append(each.imagine(carry, clip.actions[:, 1:], decode=True))
    cut, uncut = imagined
    assert torch.equal(cut.frames, uncut.frames[..., :22, :29])
    seen = [expected_places(each.pixel_maps, each.frame_size) for each in imagined]
    torch.testing.assert_close(seen[0][:, :, 0], seen[1][:, :, 0], atol=1.0, rtol=0)
    torch.testing.assert_close(cut.pixel_maps.sum((-2, -1)), uncut.pixel_maps.sum((-2, -1)))
    assert isinstance(padded, MotionPredictor) == isinstance(model, MotionPredictor)
    if isinstance(padded, MotionPredictor):
        carry = padded.observe(beginning(noise, 2))
        for motion in padded.motions(carry, noise.actions[:, 1:]):
            assert motion.masks.shape[-2:] == size
    assert isinstance(padded, Segments) == isinstance(model, Segments)
    if isinstance(padded, Segments):
        assert padded.segments(padded.observe(beginning(noise, 2))).shape[-2:] == size


def test_a_padded_model_is_kept_with_the_size_of_its_frames(tmp_path: Path) -> None:
    model = create("pixels", data((22, 29)))
    save(model, tmp_path, {})
    content = read_config(tmp_path)
    assert content["predictor"] == "pixels" and content["config"]["frame_size"] == [22, 29]
    loaded: Any = load(tmp_path, frame_size=(22, 29))
    weights = loaded.state_dict()
    assert isinstance(loaded, FramesOnly)
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name])


def test_a_model_of_samples_can_be_resampled_when_it_is_padded() -> None:
    model: Any = create("stochastic", data((22, 29)))
    assert isinstance(model, Sampler)
    assert cast(Any, model.resampled(2)).config.num_samples == 2
