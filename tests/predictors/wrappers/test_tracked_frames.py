"""A tracker over imagined frames finds the motion that they show."""

import numpy as np
import torch

from tests.fakes.clips import clip_of
from tests.fakes.dot_model import FramesOnlyDotModel
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.predictors.wrappers.tracked_frames import (
    Carry,
    TrackedFrames,
    with_tracker,
)
from visual_foresight.types import Clip
from visual_foresight.vision.pixel_maps import expected_places

SIZE = (32, 48)
ACTIONS = torch.tensor(
    [[[1.0, 0.0], [1.0, 2.0], [0.0, 1.0]], [[0.0, 0.0], [0.0, 2.0], [-1.0, 0.0]]]
)
PLACES = torch.tensor([[12.0, 20.0], [18.5, 25.0]])


def scene() -> Clip:
    """Smooth texture, so that motion can be seen everywhere."""
    noise = torch.from_numpy(
        np.random.default_rng(0).random((1, 3, SIZE[0] // 4, SIZE[1] // 4), dtype=np.float32)
    )
    frame = torch.nn.functional.interpolate(noise, SIZE, mode="bicubic").clamp(0, 1)
    return clip_of(frame)


def following(model: TrackedFrames) -> Carry:
    return model.designate(model.observe(scene()), PLACES[None])


def test_maps_go_where_the_frames_show_it() -> None:
    model = TrackedFrames(FramesOnlyDotModel(step_px=1.0, context=1))
    imagined = model.imagine(following(model), ACTIONS)
    assert imagined.frames.shape[:2] == (2, 0)
    assert imagined.frame_size == SIZE
    true = PLACES + ACTIONS.cumsum(1)[:, :, None]
    assert (expected_places(imagined.pixel_maps, SIZE) - true).abs().max() < 0.15


def test_imagining_further_goes_on_from_the_carry() -> None:
    model = TrackedFrames(FramesOnlyDotModel(step_px=1.0, context=1))
    whole = model.imagine(following(model), ACTIONS, decode=True)
    first = model.imagine(following(model), ACTIONS[:, :2])
    rest = model.imagine(first.carry, ACTIONS[:, 2:], decode=True)
    assert torch.allclose(rest.pixel_maps[:, 0], whole.pixel_maps[:, 2], atol=1e-4)
    assert torch.equal(rest.frames[:, 0], whole.frames[:, 2])


def test_only_a_predictor_of_frames_alone_gets_a_tracker() -> None:
    moves_pixels = Persistence()
    assert with_tracker(moves_pixels) is moves_pixels
    assert isinstance(with_tracker(FramesOnlyDotModel(step_px=1.0, context=1)), TrackedFrames)
