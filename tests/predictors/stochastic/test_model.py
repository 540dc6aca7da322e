"""What the stochastic predictor alone promises: what is drawn, when, and what it costs."""

import pytest
import torch
from torch import nn

from tests.fakes.clips import noise_clip
from visual_foresight.predictors.stochastic.model import Carry, Stochastic, StochasticConfig
from visual_foresight.types import Clip, Prediction
from visual_foresight.vision.pixel_maps import first_maps

SIZE = (16, 24)
CONFIG = StochasticConfig(SIZE, channels=8, belief_size=8, latent_size=3, num_samples=2)
PLACES = torch.tensor([[[6.0, 9.0]]]).expand(4, -1, -1)


@pytest.fixture
def model() -> Stochastic:
    torch.manual_seed(0)
    model = Stochastic(CONFIG)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.2)
    return model.requires_grad_(False)


def followed_by(model: Stochastic) -> tuple[Carry, ...]:
    return model.designate(model.observe(noise_clip(1, 1, SIZE)), PLACES)


def imagine(model: Stochastic) -> Prediction:
    return model.imagine(followed_by(model), noise_clip(4, 3, SIZE).actions, decode=True)


def test_samples_differ_and_their_average_is_what_is_imagined(model: Stochastic) -> None:
    prediction = imagine(model)
    one, two = prediction.members
    assert not torch.allclose(one.frames, two.frames)
    torch.testing.assert_close(prediction.frames, (one.frames + two.frames) / 2)
    torch.testing.assert_close(prediction.pixel_maps, (one.pixel_maps + two.pixel_maps) / 2)


def test_more_samples_are_the_same_and_others(model: Stochastic) -> None:
    few, many = imagine(model).members, imagine(model.resampled(4)).members
    assert len(many) == 4
    for one, same in zip(few, many[:2], strict=True):
        torch.testing.assert_close(one.frames, same.frames, rtol=0, atol=0)


def test_chance_does_not_choose_among_candidates(model: Stochastic) -> None:
    """The same candidate twice is imagined alike, draw by draw."""
    actions = noise_clip(4, 3, SIZE).actions[:1].expand(4, -1, -1)
    member = model.imagine(followed_by(model), actions, decode=True).members[1]
    torch.testing.assert_close(member.frames[0], member.frames[3])


def test_the_posterior_sees_what_came_next_and_is_kept_near_the_prior(
    model: Stochastic,
) -> None:
    seen = noise_clip(4, 4, SIZE)
    other = Clip(
        seen.actions, torch.cat([seen.frames[:, :2], 1 - seen.frames[:, 2:]], 1), seen.states
    )
    drawn = [
        model.training_rollout(part, PLACES, torch.Generator().manual_seed(5), 1.0)
        for part in (seen, seen, other)
    ]
    torch.testing.assert_close(drawn[0][0].frames, drawn[1][0].frames, rtol=0, atol=0)
    assert not torch.allclose(drawn[0][0].frames, drawn[2][0].frames)
    assert drawn[0][1] > 0


def test_the_divergence_is_annealed(model: Stochastic) -> None:
    weights = [
        model.training_rollout(
            noise_clip(4, 4, SIZE), PLACES, torch.Generator().manual_seed(5), share
        )[1]
        for share in (0, 0.25, 0.4, 1)
    ]
    assert weights[0] == 0
    assert weights[1] == pytest.approx(weights[3].item() / 2)
    assert weights[2] == weights[3]


def test_chance_alone_moves_nothing(model: Stochastic) -> None:
    prediction = model.imagine(followed_by(model), torch.zeros(4, 3, 2))
    assert model.core.robot.dynamics.abs().max() == 0, "a robot that stays where it is"
    resting = first_maps(PLACES, SIZE)[:, None].expand_as(prediction.pixel_maps)
    torch.testing.assert_close(prediction.pixel_maps, resting)
