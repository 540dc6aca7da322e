"""Known answers and laws of the cross-entropy search."""

from dataclasses import replace

import pytest
import torch

from visual_foresight.planning.planners.cem import CEM, PRESETS, CEMConfig
from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.types import UserError

SMALL = CEMConfig(populations=(40, 32, 25), horizon=5, num_elites=8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("name", "populations", "horizon"),
    [
        ("fast", (40, 32, 25), 12),
        ("default", (128, 102, 82), 12),
        ("thorough", (246, 197, 157), 15),
    ],
)
def test_presets_evaluate_exactly_the_rollouts_they_name(name, populations, horizon):
    seen = []

    def cost_of(actions):
        seen.append(tuple(actions.shape))
        return actions.square().sum((1, 2))

    costs = (
        CEM(PRESETS[name], action_size=3).plan(cost_of, torch.zeros(horizon, 3), seeded()).costs
    )
    assert seen == [(size, horizon, 3) for size in populations]
    assert [len(cost) for cost in costs] == list(populations)
    assert (
        PRESETS[name].rollouts
        == {"fast": 97, "default": 312, "thorough": 600, "plain": 312}[name]
    )


def test_finds_the_optimum_of_a_quadratic():
    optimum = torch.linspace(-0.8, 0.6, 10).reshape(5, 2)
    config = CEMConfig(
        populations=(300,) * 12, horizon=5, num_elites=30, noise_exponent=0.0, min_std=0.001
    )
    found = CEM(config).plan(lambda a: (a - optimum).square().sum((1, 2)), None, seeded())
    best = found.best
    costs = found.costs
    assert (best - optimum).abs().max() < 0.05
    assert costs[-1].min() < costs[0].min() / 50


@pytest.mark.parametrize("config", [SMALL, SMALL.plain()], ids=["icem", "plain"])
def test_returns_the_cheapest_candidate_ever_evaluated(config):
    seen = []

    def cost_of(actions):
        cost = torch.sin(7 * actions).sum((1, 2))
        seen.append((actions, cost))
        return cost

    best = CEM(config).plan(cost_of, None, seeded(3)).best
    actions = torch.cat([each for each, _ in seen])
    costs = torch.cat([cost for _, cost in seen])
    assert torch.equal(best, actions[costs.argmin()])


def test_same_seed_same_plan_and_another_seed_another():
    def plan(seed):
        return CEM(SMALL).plan(lambda a: (a - 0.3).square().sum((1, 2)), None, seeded(seed))

    first = plan(0)
    again = plan(0)
    assert torch.equal(first.best, again.best)
    assert all(torch.equal(a, b) for a, b in zip(first.costs, again.costs, strict=True))
    assert not torch.equal(first.best, plan(1).best)


def test_bounds_and_clip_hold_for_all_that_is_evaluated_and_returned():
    def at_most_half(actions):
        assert actions.abs().max() <= 1
        return actions.clamp(-0.5, 0.5)

    def cost_of(actions):
        assert actions.abs().max() <= 0.5
        return -actions.sum((1, 2))

    config = replace(SMALL, populations=(200,) * 5, initial_std=3.0)
    best = CEM(config).plan(cost_of, None, seeded(), clip=at_most_half).best
    assert best.min() > 0.45


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_cost_that_is_not_finite_names_iteration_and_count(value):
    calls = []

    def cost_of(actions):
        calls.append(1)
        cost = actions.square().sum((1, 2))
        if len(calls) == 2:
            cost[[3, 7, 9]] = value
        return cost

    with pytest.raises(ValueError, match="3 of 32 costs are not finite in iteration 1"):
        CEM(SMALL).plan(cost_of, None, seeded())


def test_warm_start_is_evaluated_and_never_worsened():
    warm = torch.linspace(-0.9, 0.9, 10).reshape(5, 2)
    found = CEM(SMALL).plan(lambda a: (a - warm).abs().sum((1, 2)), warm, seeded())
    best = found.best
    costs = found.costs
    assert torch.equal(best, warm)
    assert costs[0].min() == 0


def test_a_share_of_the_first_population_is_near_the_warm_start():
    first = []
    warm = torch.full((5, 2), 0.2)

    def cost_of(actions):
        first.append(actions)
        return actions.square().sum((1, 2))

    config = replace(SMALL, shift_fraction=0.25, warm_std=0.001)
    CEM(config).plan(cost_of, warm, seeded())
    near = ((first[0] - warm).abs().amax((1, 2)) < 0.01).sum()
    assert near == 10


def test_doing_nothing_is_tried_and_of_equals_the_warm_start_wins():
    seen = []

    def flat(actions):
        seen.append(actions)
        return torch.ones(len(actions))

    warm = torch.full((5, 2), 0.2)
    best = CEM(SMALL).plan(flat, warm, seeded()).best
    assert torch.equal(best, warm)
    assert (seen[0] == 0).all(-1).all(-1).sum() == 1
    rest = CEM(SMALL).plan(lambda a: a.abs().sum((1, 2)), warm, seeded()).best
    assert not rest.any()


def test_proposals_take_places_in_the_first_population():
    seen = []
    proposals = torch.stack([torch.full((5, 2), value) for value in (-0.7, 0.9)])

    def cost_of(actions):
        seen.append(actions)
        return (actions - 0.9).abs().sum((1, 2))

    best = CEM(SMALL).plan(cost_of, torch.zeros(5, 2), seeded(), proposals=proposals).best
    assert seen[0].shape[0] == 40
    assert all(
        (seen[0] == proposal).all(-1).all(-1).any()
        for proposal in (*proposals, torch.zeros(5, 2))
    )
    assert torch.equal(best, proposals[1])
    with pytest.raises(ValueError, match="at most 39 proposals"):
        CEM(SMALL).plan(cost_of, None, seeded(), proposals=torch.zeros(41, 5, 2))


@pytest.mark.parametrize(
    ("name", "count"), [("fast", 16), ("default", 51), ("thorough", 98), ("plain", 42)]
)
def test_two_in_five_of_the_first_population_may_be_proposed(name: str, count: int) -> None:
    assert CEM(PRESETS[name]).max_proposals == count


def test_proposals_leave_room_for_what_is_near_the_warm_start() -> None:
    crowded = replace(SMALL, shift_fraction=0.9)
    assert CEM(crowded).max_proposals == 40 - 36 - 1


def test_the_mean_of_the_elites_is_a_candidate_of_the_last_iteration():
    seen = []

    def cost_of(actions):
        seen.append(actions)
        return (actions - 0.4).square().sum((1, 2))

    config = CEMConfig(
        populations=(20, 12), horizon=5, num_elites=4, momentum=0.0, keep_fraction=0.0
    )
    CEM(config).plan(cost_of, None, seeded())
    elites = seen[0][(seen[0] - 0.4).square().sum((1, 2)).argsort()[:4]]
    assert torch.allclose(seen[1][0], elites.mean(0))


def test_plain_has_the_same_budget_and_none_of_the_parts():
    plain = PRESETS["fast"].plain()
    assert plain.rollouts == 97
    assert max(plain.populations) - min(plain.populations) <= 1
    assert (
        plain.noise_exponent,
        plain.keep_fraction,
        plain.shift_fraction,
        plain.momentum,
    ) == (0, 0, 0, 0)


def test_beats_plain_cem_at_equal_budget_where_good_plans_are_smooth():
    time = torch.linspace(0, 1, 12)
    path = torch.stack([4 * torch.sin(4 * time), -4 * time], dim=-1)

    def final_cost(config, seed):
        costs = (
            CEM(config)
            .plan(lambda a: (a.cumsum(1) - path).square().sum((1, 2)), None, seeded(seed))
            .costs
        )
        return torch.cat(costs).min()

    config = PRESETS["fast"]
    improved = torch.stack([final_cost(config, seed) for seed in range(15)]).median()
    plain = torch.stack([final_cost(config.plain(), seed) for seed in range(15)]).median()
    assert improved < 0.8 * plain


@pytest.mark.parametrize("steps", [12, 15])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_noise_has_unit_variance_and_the_spectrum_asked_for(steps, exponent):
    noise = colored_noise((20_000, steps, 2), exponent, seeded())
    assert torch.allclose(noise.var(0), torch.ones(steps, 2), atol=0.06)
    power = torch.fft.rfft(noise, dim=1).abs().square().mean((0, 2))
    frequency = torch.fft.rfftfreq(steps)[1:]
    assert torch.allclose(
        power[1:] / power[1], (frequency / frequency[0]) ** -exponent, rtol=0.06
    )
    assert torch.allclose(power[0], power[1], rtol=0.06)


def test_noise_of_exponent_zero_is_white_and_dimensions_are_independent():
    noise = colored_noise((20_000, 4, 2), 0.0, seeded()).flatten(1)
    assert torch.allclose(noise.T @ noise / len(noise), torch.eye(8), atol=0.04)


def test_held_noise_is_constant_within_blocks():
    config = replace(
        SMALL, hold=2, populations=(10,), num_elites=4, mean_last=False, initial_std=0.1
    )
    seen = []

    def cost_of(actions):
        seen.append(actions)
        return actions.sum((1, 2))

    CEM(config).plan(cost_of, None, seeded())
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])
    assert torch.equal(seen[0][:, 2], seen[0][:, 3])
    assert not torch.equal(seen[0][:, 1], seen[0][:, 2])


@pytest.mark.parametrize(
    "wrong",
    [
        {"populations": (5,)},
        {"populations": ()},
        {"horizon": 0},
        {"keep_fraction": 1.5},
        {"hold": 0},
    ],
)
def test_a_config_that_cannot_work_is_refused(wrong):
    with pytest.raises(UserError):
        replace(SMALL, **wrong)


def test_a_warm_start_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"\(5, 2\) was expected, got \(4, 2\)"):
        CEM(SMALL).plan(lambda a: a.sum((1, 2)), torch.zeros(4, 2), seeded())
