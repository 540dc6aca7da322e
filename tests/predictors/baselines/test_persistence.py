"""The persistence baseline predicts that nothing moves."""

import pytest
import torch

from tests.fakes.clips import noise_clip
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.vision.pixel_maps import splat_places


@pytest.mark.parametrize("scenes", [1, 8])
def test_repeats_the_last_frame_and_the_maps(scenes):
    clip, places = noise_clip(scenes, 2, (4, 6)), torch.rand(8, 9, 2)
    model = Persistence()
    carry = model.designate(model.observe(clip), places)
    prediction = model.imagine(carry, torch.ones(8, 10, 5), decode=True)
    assert prediction.frames.shape == (8, 10, 3, 4, 6)
    assert prediction.pixel_maps.shape == (8, 10, 9, 2, 3)
    for step in range(10):
        assert torch.equal(prediction.frames[:, step], clip.frames[:, -1].expand(8, -1, -1, -1))
        assert torch.equal(prediction.pixel_maps[:, step], splat_places(places, (2, 3), (4, 6)))
    assert prediction.lost.shape == (8, 10, 9)
    assert not prediction.lost.any()


def test_undecoded_frames_are_empty_and_their_size_is_known():
    model = Persistence()
    prediction = model.imagine(model.observe(noise_clip(1, 2, (4, 6))), torch.ones(8, 10, 5))
    assert prediction.frames.shape[:2] == (8, 0)
    assert prediction.frame_size == (4, 6)
    assert prediction.pixel_maps.shape == (8, 10, 0, 2, 3)


def test_imagines_further_from_its_carry():
    model = Persistence()
    clip = noise_clip(1, 2, (4, 6))
    first = model.imagine(model.observe(clip), torch.ones(8, 4, 5))
    further = model.imagine(first.carry, torch.ones(8, 2, 5), decode=True)
    assert torch.equal(further.frames[3, 1], clip.frames[0, -1])


def test_a_carry_of_another_number_of_scenes_is_refused():
    model = Persistence()
    with pytest.raises(ValueError, match="1 or 8 scenes was expected"):
        model.imagine(
            model.observe(noise_clip(3, 2, (4, 6))),
            torch.ones(8, 10, 5),
        )
