"""Errors of what was imagined, by known answers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fakes.episodes import patch_episode
from visual_foresight.gui.session.recordings.errors import errors_of, points_at
from visual_foresight.types import Pixel, Prediction, to_float
from visual_foresight.vision.pixel_maps import first_maps

SIZE = (24, 40)
RIGHT = np.array([[0.0, 1.0]] * 3, np.float32)  # the patch moves by 2 pixels a step


@pytest.fixture
def episode():
    return patch_episode(0, SIZE, RIGHT)


def imagined(frames, places):
    """Return a prediction of these frames "t c h w" and places "t p 2"."""
    return Prediction(
        frames=frames[None],
        pixel_maps=first_maps(torch.as_tensor(places)[None], SIZE),
        lost=torch.zeros(1, len(places), places.shape[1]),
        carry=None,
        frame_size=SIZE,
    )


def test_what_is_imagined_as_recorded_has_no_error_and_still_errs_by_the_way(episode):
    prediction = imagined(to_float(episode.frames[1:]), episode.tracks[1:, :1])
    errors = errors_of(prediction, episode, [0])
    assert errors.frame == pytest.approx([0] * 4)
    assert errors.place_px == pytest.approx([0] * 4, abs=0.05)
    assert errors.persistence_px == pytest.approx([0, 2, 4, 6])


def test_frames_differ_by_the_root_of_the_mean_square(episode):
    frames = to_float(episode.frames[1:])
    brighter = frames + torch.tensor([0.0, 0.1, -0.2])[:, None, None, None]
    errors = errors_of(imagined(brighter, episode.tracks[1:, :1]), episode, [0])
    assert errors.frame == pytest.approx([0, 0, 0.1, 0.2])
    difference = (frames[0] - to_float(episode.frames[0])).numpy()
    assert errors.persistence_frame[1] == pytest.approx(np.sqrt(np.mean(difference**2)))


def test_persistence_errs_as_persistence(episode):
    frames = to_float(episode.frames[:1]).expand(3, -1, -1, -1)
    errors = errors_of(imagined(frames, episode.tracks[[0] * 3, :1]), episode, [0])
    assert errors.frame == pytest.approx(errors.persistence_frame)
    assert errors.place_px == pytest.approx(errors.persistence_px, abs=0.05)


def test_only_places_that_are_known_count(episode):
    frames = to_float(episode.frames[1:])
    places = np.concatenate([np.zeros((3, 1, 2), np.float32), episode.tracks[1:, :1]], 1)
    errors = errors_of(imagined(frames, places), episode, [None, 0])
    assert errors.place_px == pytest.approx([0] * 4, abs=0.05)
    unknown = errors_of(imagined(frames, places), episode, [None, None])
    assert unknown.place_px == () and len(unknown.frame) == 4


def test_a_pixel_on_a_recorded_point_means_that_point(episode):
    row, col = episode.tracks[0, 0].tolist()
    here, near = Pixel(row, col), Pixel(row + 1, col - 1)
    away = Pixel(row + 2, col)
    assert points_at(episode, [near, away, Pixel(0.0, 0.0), here]) == [0, None, 1, 0]
    without = replace(episode, tracks=episode.tracks[:, :0])
    assert points_at(without, [here]) == [None]
