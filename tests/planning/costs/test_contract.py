"""Laws that every registered cost keeps, and every wrapper of a cost.

A new kind of goal needs an entry in `GOALS`; its cost is picked up from the registry.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from visual_foresight.goals import registry
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Cost
from visual_foresight.planning.costs.disagreement import DisagreementPenalty
from visual_foresight.planning.costs.registry import COSTS, make_cost
from visual_foresight.types import Goal, Pixel, Prediction, to_float
from visual_foresight.vision.pixel_maps import splat_places

SIZE, MAP_SIZE = (12, 20), (6, 10)
NUM_STEPS = 4
GOALS: dict[str, Goal] = {
    "pixels": PixelGoal((Pixel(2, 3), Pixel(5, 6)), (Pixel(8, 9), Pixel(4, 13))),
    "png": ImageGoal(np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)),
}


def future(num: int, seed: int) -> Prediction:
    """Return a prediction with frames, and maps of two pixels."""
    rng = torch.Generator().manual_seed(seed)
    places = torch.rand(num, NUM_STEPS, 2, 2, generator=rng) * torch.tensor(SIZE)
    return Prediction(
        frames=torch.rand(num, NUM_STEPS, 3, *SIZE, generator=rng),
        pixel_maps=splat_places(places, MAP_SIZE, SIZE),
        lost=torch.zeros(num, NUM_STEPS, 2),
        carry=None,
        frame_size=SIZE,
    )


def futures(num: int) -> Prediction:
    """Return a prediction with two members."""
    return Prediction.average([future(num, seed=0), future(num, seed=1)])


def part_of(prediction: Prediction, candidates: list[int]) -> Prediction:
    return replace(
        prediction,
        frames=prediction.frames[candidates],
        pixel_maps=prediction.pixel_maps[candidates],
        lost=prediction.lost[candidates],
        members=tuple(part_of(member, candidates) for member in prediction.members),
    )


def at_the_goal(goal: Goal) -> Prediction:
    """Return a prediction of one candidate that is at its goal at all steps."""
    reached = future(1, seed=0)
    if isinstance(goal, PixelGoal):
        targets = torch.tensor([[float(pixel.row), float(pixel.col)] for pixel in goal.targets])
        maps = splat_places(targets, SIZE, SIZE).expand(1, NUM_STEPS, -1, -1, -1)
        return replace(reached, pixel_maps=maps)
    assert isinstance(goal, ImageGoal)
    frame = to_float(goal.frame)
    return replace(reached, frames=frame.expand(1, NUM_STEPS, -1, -1, -1))


@pytest.fixture(params=registry.GOALS)
def goal(request: pytest.FixtureRequest) -> Goal:
    return GOALS[request.param]


@pytest.fixture(params=["alone", "with disagreement"])
def cost(request: pytest.FixtureRequest, goal: Goal) -> Cost:
    plain = make_cost(goal, final_weight=10.0)
    return plain if request.param == "alone" else DisagreementPenalty(plain, weight=0.5)


def test_every_cost_belongs_to_a_kind_of_goal() -> None:
    assert {kind.cost for kind in registry.GOALS.values()} == set(COSTS)


def test_it_is_a_cost_of_one_finite_number_per_candidate(cost: Cost) -> None:
    assert isinstance(cost, Cost)
    costs = cost(futures(5))
    assert costs.shape == (5,)
    assert costs.isfinite().all()
    assert (costs >= 0).all()
    assert len(costs.unique()) == 5


def test_candidates_do_not_see_one_another(cost: Cost) -> None:
    prediction = futures(5)
    together = cost(prediction)
    for candidate in range(5):
        alone = cost(part_of(prediction, [candidate]))
        torch.testing.assert_close(alone, together[candidate : candidate + 1])
    order = [3, 1, 4, 0, 2]
    torch.testing.assert_close(cost(part_of(prediction, order)), together[order])


def test_it_changes_nothing_and_says_the_same_again(cost: Cost) -> None:
    prediction = futures(3)
    frames = prediction.frames.clone()
    maps = prediction.pixel_maps.clone()
    first = cost(prediction)
    cost(part_of(prediction, [2, 0]))
    assert torch.equal(cost(prediction), first)
    assert torch.equal(prediction.frames, frames)
    assert torch.equal(prediction.pixel_maps, maps)


def test_a_goal_that_is_reached_costs_nothing(goal: Goal) -> None:
    cost = make_cost(goal, final_weight=10.0)
    torch.testing.assert_close(cost(at_the_goal(goal)), torch.zeros(1), atol=1e-5, rtol=0)


def test_the_last_step_weighs_more_than_the_others(goal: Goal) -> None:
    """A future that ends at its goal costs less than the same future run backwards."""
    reached = at_the_goal(goal)
    missed = future(1, seed=3)
    ends_there = replace(
        missed,
        frames=torch.cat([missed.frames[:, :-1], reached.frames[:, -1:]], 1),
        pixel_maps=torch.cat([fine_maps(missed)[:, :-1], fine_maps(reached)[:, -1:]], 1),
    )
    starts_there = replace(
        ends_there, frames=ends_there.frames.flip(1), pixel_maps=ends_there.pixel_maps.flip(1)
    )
    weighted = make_cost(goal, final_weight=10.0)
    assert weighted(ends_there) < weighted(starts_there)
    even = make_cost(goal, final_weight=1.0)
    torch.testing.assert_close(even(ends_there), even(starts_there))


def fine_maps(prediction: Prediction) -> torch.Tensor:
    """Return maps with one cell per pixel of the frame."""
    maps = prediction.pixel_maps
    if maps.shape[-2:] == SIZE:
        return maps
    return maps.repeat_interleave(2, -2).repeat_interleave(2, -1) / 4
