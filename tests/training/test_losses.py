"""Losses of two steps and two points, worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fakes.clips import clip_of
from visual_foresight.training.clip_sampler import Batch
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.losses import error_over_persistence, errors
from visual_foresight.types import Prediction
from visual_foresight.vision.pixel_maps import splat_places

SIZE = (8, 10)
CONTEXT = 1


def batch_of(
    places: list[list[list[float]]], valid: list[list[bool]], frames: torch.Tensor
) -> Batch:
    """Return a batch of one clip of two actions; places are those of two points in each frame."""
    clip = clip_of(frames)
    return Batch(clip, torch.tensor(places)[None], torch.tensor(valid)[None])


def imagined(places: list[list[list[float]]], frames: torch.Tensor) -> Prediction:
    maps = splat_places(torch.tensor(places)[None], SIZE, SIZE)
    size = (frames.shape[-2], frames.shape[-1])
    return Prediction(frames, maps, torch.zeros(maps.shape[:3]), None, frame_size=size)


@pytest.fixture
def config(tmp_path) -> TrainConfig:
    return TrainConfig(tmp_path, tmp_path, track_weight=0.5, moving_weight=3.0)


def test_points_that_move_count_more_and_late_steps_less(config: TrainConfig) -> None:
    truth = [[[2.0, 2.0], [5.0, 5.0]], [[2.0, 4.0], [5.0, 5.0]], [[2.0, 6.0], [5.0, 5.0]]]
    # 1 and 0 px off, then 3 and 1
    places = [[[2.0, 3.0], [5.0, 5.0]], [[2.0, 3.0], [4.0, 5.0]]]
    batch = batch_of(truth, [[True, True]] * 3, torch.zeros(1, 3, 3, *SIZE))
    parts = errors(imagined(places, torch.zeros(1, 0, 3, *SIZE)), batch, CONTEXT, config)
    weights = np.array([[1 + 2 / 2, 1], [(1 + 4 / 2) / 2, 1 / 2]])  # (1 + moved / 2) / step
    expected = (weights * [[1, 0], [3, 1]]).sum() / weights.sum()
    assert float(parts["track_px"]) == pytest.approx(expected, abs=0.01)
    assert float(parts["loss"]) == pytest.approx(0.5 * expected, abs=0.01)
    assert "pixels" not in parts


def test_a_point_that_was_lost_or_not_seen_at_the_start_does_not_count(
    config: TrainConfig,
) -> None:
    truth = [[[2.0, 2.0], [5.0, 5.0]]] * 3
    places = [[[4.0, 2.0], [1.0, 5.0]]] * 2
    nothing = torch.zeros(1, 0, 3, *SIZE)
    batch = batch_of(
        truth, [[True, False], [True, True], [False, True]], torch.zeros(1, 3, 3, *SIZE)
    )
    parts = errors(imagined(places, nothing), batch, CONTEXT, config)
    assert float(parts["track_px"]) == pytest.approx(2, abs=0.01)


def test_pixels_whose_truth_moves_count_more(config: TrainConfig) -> None:
    frames = torch.zeros(1, 3, 3, *SIZE)
    wrong = torch.zeros(1, 2, 3, *SIZE)
    frames[:, 1:, :, 0, 0] = 0.5  # one pixel of 80 becomes brighter, and is missed
    wrong[:, :, :, 1, 1] = 0.25  # one is imagined that never is
    batch = batch_of([[[2.0, 2.0]] * 2] * 3, [[True, True]] * 3, frames)
    prediction = imagined([[[2.0, 2.0]] * 2] * 2, wrong)
    parts = errors(prediction, batch, CONTEXT, config)
    assert float(parts["pixels"]) == pytest.approx((4 * 0.5 + 0.25) / (4 + 79), abs=2e-3)
    squares = errors(prediction, batch, CONTEXT, replace(config, pixel_loss="squared"))
    expected = (4 * 0.5**2 + 0.25**2) / (4 + 79)
    assert float(squares["pixels"]) == pytest.approx(expected, abs=1e-6)


def test_the_error_over_persistence_is_of_what_moved_far() -> None:
    truth = [[[2.0, 2.0], [5.0, 5.0]], [[2.0, 4.0], [5.0, 5.0]], [[2.0, 7.0], [5.0, 6.0]]]
    places = [[[2.0, 2.0], [5.0, 5.0]], [[2.0, 5.0], [1.0, 5.0]]]
    batch = batch_of(truth, [[True, True]] * 3, torch.zeros(1, 3, 3, *SIZE))
    prediction = imagined(places, torch.zeros(1, 0, 3, *SIZE))
    assert error_over_persistence(prediction, batch, CONTEXT) == pytest.approx(2 / 5, abs=0.01)


def test_without_motion_there_is_no_error_over_persistence() -> None:
    batch = batch_of([[[2.0, 2.0]] * 2] * 3, [[True, True]] * 3, torch.zeros(1, 3, 3, *SIZE))
    prediction = imagined([[[2.0, 2.0]] * 2] * 2, torch.zeros(1, 0, 3, *SIZE))
    assert np.isnan(error_over_persistence(prediction, batch, CONTEXT))
