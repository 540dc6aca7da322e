"""What the ensemble alone promises: the average of members that learn from different clips."""

from dataclasses import replace

import pytest
import torch

from tests.fakes.clips import noise_clip
from visual_foresight.interfaces import FramesOnly
from visual_foresight.predictors.wrappers.ensemble import Ensemble, EnsembleConfig
from visual_foresight.types import UserError

SIZE = (16, 24)
CONFIG = EnsembleConfig(SIZE, member="sna", num_members=2, channels=8)
PLACES = torch.tensor([[6.0, 9.0]]).expand(4, 1, 2)


def test_it_imagines_the_average_of_members_that_differ() -> None:
    torch.manual_seed(0)
    model = Ensemble(CONFIG).requires_grad_(False)
    carry = model.designate(model.observe(noise_clip(1, 1, SIZE)), PLACES)
    prediction = model.imagine(carry, noise_clip(4, 3, SIZE).actions, decode=True)
    one, two = prediction.members
    assert not torch.allclose(one.frames, two.frames)
    torch.testing.assert_close(prediction.frames, (one.frames + two.frames) / 2)
    torch.testing.assert_close(prediction.pixel_maps, (one.pixel_maps + two.pixel_maps) / 2)


def test_each_member_learns_from_its_own_clips() -> None:
    torch.manual_seed(0)
    model = Ensemble(CONFIG)
    seen = noise_clip(4, 3, SIZE)
    prediction, auxiliary_loss = model.training_rollout(seen, PLACES, torch.Generator(), 0.0)
    assert prediction.frames.shape == (4, 2, 3, *SIZE)
    assert auxiliary_loss == 0
    prediction.frames[2:].sum().backward()  # the second member's
    first, second = model.members
    assert not any(
        weight.grad.any() for weight in first.parameters() if weight.grad is not None
    )
    assert any(weight.grad.any() for weight in second.parameters() if weight.grad is not None)


def test_members_are_of_any_kind_but_its_own() -> None:
    assert isinstance(Ensemble(replace(CONFIG, member="pixels")), FramesOnly)
    assert not isinstance(Ensemble(CONFIG), FramesOnly)
    for wrong in ({"member": "ensemble"}, {"num_members": 1}):
        with pytest.raises(UserError, match="two or more members"):
            Ensemble(replace(CONFIG, **wrong))
    with pytest.raises(UserError, match="no learned predictor 'still'"):
        Ensemble(replace(CONFIG, member="still"))
