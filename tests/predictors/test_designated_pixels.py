"""Laws of what a predictor follows: the carry knows the pixels, frames do not depend on them."""

import pytest
import torch

from tests.predictors.test_contract import (
    MAP_SIZE,
    PLACES,
    WRAPPERS,
    a_predictor,
    assert_same,
    clip,
    imagine,
    num_maps,
    places_for,
    seen_by,
)
from visual_foresight.interfaces import FramesOnly, Predictor
from visual_foresight.predictors.registry import PREDICTORS
from visual_foresight.types import UserError


@pytest.fixture(params=[*PREDICTORS, *WRAPPERS])
def predictor(request: pytest.FixtureRequest) -> Predictor:
    return a_predictor(request.param)


def test_a_carry_that_was_never_designated_follows_nothing(predictor: Predictor) -> None:
    carry = predictor.observe(clip(1, predictor.context - 1))
    prediction = predictor.imagine(carry, clip(2, 3).actions)
    assert prediction.pixel_maps.shape == (2, 3, 0, *MAP_SIZE)
    assert prediction.lost.shape == (2, 3, 0)


def test_designating_twice_replaces_and_leaves_the_carry_before_as_it_was(
    predictor: Predictor,
) -> None:
    actions = clip(3, 4).actions
    carry = seen_by(predictor)
    first = predictor.imagine(carry, actions, decode=True)
    other = places_for(predictor).flip(1)
    again = predictor.imagine(predictor.designate(carry, other), actions, decode=True)
    torch.testing.assert_close(again.pixel_maps, first.pixel_maps.flip(2))
    one = places_for(predictor)[:, :1]
    fewer = predictor.imagine(predictor.designate(carry, one), actions)
    torch.testing.assert_close(fewer.pixel_maps, first.pixel_maps[:, :, :1])
    none = predictor.imagine(predictor.designate(carry, one[:, :0]), actions)
    assert none.pixel_maps.shape[2] == 0
    assert_same(predictor.imagine(carry, actions, decode=True), first, rtol=0, atol=0)


def test_designating_changes_no_frame(predictor: Predictor) -> None:
    actions = clip(3, 4).actions
    carry = predictor.observe(clip(1, predictor.context - 1))
    unfollowed = predictor.imagine(carry, actions, decode=True)
    followed = predictor.imagine(
        predictor.designate(carry, places_for(predictor)), actions, decode=True
    )
    torch.testing.assert_close(followed.frames, unfollowed.frames, rtol=0, atol=0)


def test_candidates_may_follow_pixels_of_their_own(predictor: Predictor) -> None:
    actions = clip(3, 4).actions
    carry = predictor.observe(clip(1, predictor.context - 1))
    shifts = torch.tensor([0.0, 1.5, 3.0])[:, None, None]
    own = places_for(predictor, 3) + shifts
    together = predictor.imagine(predictor.designate(carry, own), actions)
    for number in range(3):
        alone = predictor.imagine(
            predictor.designate(carry, own[number : number + 1]), actions[number : number + 1]
        )
        torch.testing.assert_close(
            alone.pixel_maps[0], together.pixel_maps[number], atol=5e-5, rtol=1e-4
        )


def test_pixels_of_imagined_frames_can_be_designated(predictor: Predictor) -> None:
    actions = clip(3, 4).actions
    begun = imagine(predictor, actions[:, :2])
    shared = predictor.designate(begun.carry, places_for(predictor))
    each = predictor.designate(begun.carry, places_for(predictor, 3))
    end = predictor.imagine(shared, actions[:, 2:])
    assert end.pixel_maps.shape == (3, 2, num_maps(predictor), *MAP_SIZE)
    assert_same(predictor.imagine(each, actions[:, 2:]), end)


def test_it_follows_a_designated_pixel_or_says_that_it_cannot(predictor: Predictor) -> None:
    carry = predictor.observe(clip(1, predictor.context - 1))
    if isinstance(predictor, FramesOnly):
        with pytest.raises(UserError, match="cannot move pixels, but 1 were designated"):
            predictor.designate(carry, PLACES[None, :1])
    else:
        carry = predictor.designate(carry, PLACES[None, :1])
        prediction = predictor.imagine(carry, clip(2, 3).actions)
        assert prediction.pixel_maps.shape == (2, 3, 1, *MAP_SIZE)
