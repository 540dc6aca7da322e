"""Laws that every registered planner keeps, improved and plain."""

import math

import pytest
import torch
from torch import Tensor

from visual_foresight.interfaces import Planner
from visual_foresight.planning.planners.cem import CEMConfig
from visual_foresight.planning.planners.registry import PLANNERS

ACTION_SIZE = 3
CONFIGS = {
    "improved": CEMConfig(populations=(30, 24, 18), horizon=5, num_elites=6),
    "plain": CEMConfig(populations=(30, 24, 18), horizon=5, num_elites=6).plain(),
}
OPTIMUM = torch.linspace(-0.6, 0.7, 5 * ACTION_SIZE).reshape(5, ACTION_SIZE)
WARM_START = torch.full((5, ACTION_SIZE), 0.2)
PROPOSALS = torch.linspace(-0.9, 0.9, 2 * 5 * ACTION_SIZE).reshape(2, 5, ACTION_SIZE)


class Quadratic:
    """A cost with a known optimum that keeps what it was asked for."""

    def __init__(self) -> None:
        self.candidates: list[Tensor] = []
        self.costs: list[Tensor] = []

    def __call__(self, actions: Tensor) -> Tensor:
        self.candidates.append(actions.clone())
        self.costs.append((actions - OPTIMUM).square().sum((1, 2)))
        return self.costs[-1]


@pytest.fixture(params=PLANNERS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=CONFIGS)
def config(request: pytest.FixtureRequest) -> CEMConfig:
    return CONFIGS[request.param]


@pytest.fixture
def planner(name: str, config: CEMConfig) -> Planner:
    planner = PLANNERS[name](config, ACTION_SIZE)
    assert isinstance(planner, Planner)
    return planner


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def at_most_half(actions: Tensor) -> Tensor:
    return actions.clamp(-0.5, 0.5)


def unlimited(actions: Tensor) -> Tensor:
    return actions


def test_the_same_generator_state_gives_the_same_plan(planner: Planner) -> None:
    def plan(rng: torch.Generator) -> tuple[Tensor, tuple[Tensor, ...]]:
        return planner.plan(
            Quadratic(), WARM_START, rng, clip=at_most_half, proposals=PROPOSALS
        )

    best, costs = plan(seeded(0))
    plan(seeded(7))  # which leaves nothing behind
    again, costs_again = plan(seeded(0))
    assert torch.equal(best, again)
    assert all(torch.equal(one, two) for one, two in zip(costs, costs_again, strict=True))
    assert not torch.equal(best, plan(seeded(1))[0])


def test_chance_comes_from_the_generator_alone(planner: Planner) -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    planner.plan(Quadratic(), None, seeded(), clip=unlimited)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_it_is_given_is_left_alone(planner: Planner) -> None:
    warm_start = WARM_START.clone()
    proposals = PROPOSALS.clone()
    planner.plan(Quadratic(), warm_start, seeded(), clip=at_most_half, proposals=proposals)
    assert torch.equal(warm_start, WARM_START)
    assert torch.equal(proposals, PROPOSALS)


@pytest.mark.parametrize("warm_start", [None, WARM_START * 4], ids=["fresh", "warm"])
def test_all_candidates_are_clipped_and_so_is_the_best(
    planner: Planner, warm_start: Tensor | None
) -> None:
    cost = Quadratic()
    best, _ = planner.plan(
        cost, warm_start, seeded(), clip=at_most_half, proposals=2 * PROPOSALS
    )
    for candidates in cost.candidates:
        assert candidates.abs().max() <= 0.5
    assert best.abs().max() <= 0.5
    assert torch.equal(at_most_half(best), best)


def test_only_actions_in_range_are_clipped(planner: Planner) -> None:
    """What is given to the clip is in [-1, 1] already."""

    def clip(actions: Tensor) -> Tensor:
        assert actions.abs().max() <= 1
        return actions

    planner.plan(Quadratic(), 3 * WARM_START, seeded(), clip=clip, proposals=5 * PROPOSALS)


def test_the_best_is_the_cheapest_candidate_that_was_imagined(
    planner: Planner, config: CEMConfig
) -> None:
    cost = Quadratic()
    best, costs = planner.plan(cost, None, seeded(), clip=unlimited)
    candidates = torch.cat(cost.candidates)
    assert candidates.shape == (config.rollouts, config.horizon, ACTION_SIZE)
    assert torch.equal(best, candidates[torch.cat(cost.costs).argmin()])
    assert torch.equal(torch.cat(costs), torch.cat(cost.costs))


def test_it_finds_better_than_its_first_candidates(planner: Planner) -> None:
    _, costs = planner.plan(Quadratic(), None, seeded(), clip=unlimited)
    assert len(costs) > 1
    assert costs[-1].min() < costs[0].min()


def test_proposals_are_candidates(planner: Planner) -> None:
    cost = Quadratic()
    planner.plan(cost, None, seeded(), clip=unlimited, proposals=PROPOSALS)
    candidates = torch.cat(cost.candidates)
    for proposal in PROPOSALS:
        assert (candidates == proposal).all(-1).all(-1).any()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_cost_that_is_not_finite_stops_it(planner: Planner, value: float) -> None:
    def cost_of(actions: Tensor) -> Tensor:
        costs = actions.square().sum((1, 2))
        costs[3] = value
        return costs

    with pytest.raises(ValueError, match="not finite"):
        planner.plan(cost_of, None, seeded(), clip=unlimited)


def test_a_warm_start_that_does_not_fit_is_refused(planner: Planner) -> None:
    with pytest.raises(ValueError, match="warm start"):
        planner.plan(Quadratic(), WARM_START[1:], seeded(), clip=unlimited)
