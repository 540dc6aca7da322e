"""Laws that every registered planner keeps, improved and plain."""

import math

import pytest
import torch
from torch import Tensor

from visual_foresight.interfaces import Planner
from visual_foresight.planning.planners.cem import CEMConfig
from visual_foresight.planning.planners.registry import (
    DEFAULT_PRESET,
    PLANNERS,
    make_planner,
    presets_of,
)
from visual_foresight.types import Search, UserError

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
    def plan(rng: torch.Generator) -> Search:
        return planner.plan(
            Quadratic(), WARM_START, rng, clip=at_most_half, proposals=PROPOSALS
        )

    found = plan(seeded(0))
    plan(seeded(7))  # which leaves nothing behind
    again = plan(seeded(0))
    assert torch.equal(found.best, again.best)
    assert all(torch.equal(a, b) for a, b in zip(found.costs, again.costs, strict=True))
    assert not torch.equal(found.best, plan(seeded(1)).best)


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
    best = planner.plan(
        cost, warm_start, seeded(), clip=at_most_half, proposals=2 * PROPOSALS
    ).best
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
    found = planner.plan(cost, None, seeded(), clip=unlimited)
    best = found.best
    costs = found.costs
    candidates = torch.cat(cost.candidates)
    assert candidates.shape == (config.rollouts, config.horizon, ACTION_SIZE)
    assert torch.equal(best, candidates[torch.cat(cost.costs).argmin()])
    assert torch.equal(torch.cat(costs), torch.cat(cost.costs))


def test_it_finds_better_than_its_first_candidates(planner: Planner) -> None:
    costs = planner.plan(Quadratic(), None, seeded(), clip=unlimited).costs
    assert len(costs) > 1
    assert costs[-1].min() < costs[0].min()


def test_the_last_candidates_come_cheapest_first_with_their_costs(planner: Planner) -> None:
    cost = Quadratic()
    found = planner.plan(cost, None, seeded(), clip=unlimited)
    assert torch.equal(found.candidate_costs, cost.costs[-1].sort().values)
    torch.testing.assert_close(Quadratic()(found.candidates), found.candidate_costs)
    assert len(found.candidates) - len(found.others) <= 1
    assert not (found.others == found.best).all(-1).all(-1).any()


def test_it_knows_its_size(planner: Planner) -> None:
    cost = Quadratic()
    found = planner.plan(cost, None, seeded(), clip=unlimited)
    assert found.best.shape == (planner.horizon, ACTION_SIZE)
    assert sum(map(len, cost.costs)) == planner.rollouts


def test_as_many_proposals_as_it_says_fit(planner: Planner) -> None:
    cost = Quadratic()
    assert planner.max_proposals > 0
    proposals = torch.linspace(-0.9, 0.9, planner.max_proposals * 5 * ACTION_SIZE)
    proposals = proposals.reshape(-1, 5, ACTION_SIZE)
    planner.plan(cost, WARM_START, seeded(), clip=unlimited, proposals=proposals)
    candidates = torch.cat(cost.candidates)
    assert all((candidates == each).all(-1).all(-1).any() for each in proposals)


def test_every_planner_has_a_default_preset(name: str) -> None:
    assert DEFAULT_PRESET in presets_of(name)
    for preset in presets_of(name):
        assert isinstance(make_planner(name, preset, ACTION_SIZE), Planner)
    with pytest.raises(UserError, match="unknown preset 'endless': choose one of"):
        make_planner(name, "endless", ACTION_SIZE)


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
