"""The cross-entropy method over action sequences: improved (iCEM), or plain as a setting.

It knows neither images nor models: one function gives the cost of candidates, another says what
of them would really be carried out. Source: Pinneri et al., "Sample-efficient Cross-Entropy
Method for Real-time Planning", CoRL 2020 (iCEM).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.types import Search, UserError

Candidates = Float[Tensor, "n t a"]
Costs = Float[Tensor, " n"]
PROPOSED_SHARE = 0.4
"""Share of the first population that may be proposed; the rest stays the search's own."""


@dataclass(frozen=True)
class CEMConfig:
    """How widely and how long to search; the unit of every std is an action's half range, 1."""

    populations: tuple[int, ...] = (128, 102, 82)
    """New candidates per iteration; their sum is the exact number of rollouts. iCEM divides the
    number by 1.25 each time."""
    horizon: int = 12
    """Actions per candidate."""
    num_elites: int = 12
    """Best candidates that the next distribution is fitted to."""
    noise_exponent: float = 2.0
    """The power of the noise falls as frequency ** -noise_exponent: 0 is white noise, 2 that of a
    random walk (slow, smooth pushes)."""
    hold: int = 1
    """Steps for which each noise value is repeated (action blocks)."""
    momentum: float = 0.1
    """Share of the old mean and std in the new ones."""
    keep_fraction: float = 0.3
    """Share of the elites that compete again in the next iteration."""
    shift_fraction: float = 0.3
    """Share of the first population drawn near the warm start, which is itself one of them."""
    initial_std: float = 1.0
    """Std of the first population. iCEM has 0.5, but a push must first go round the object, and
    the cost is flat until then: on a toy task with the exact model (97 rollouts, 8-12 cm), 90 % of
    40 pushes ended within 5 cm with 0.5, and all with 1."""
    warm_std: float = 0.2
    """Std of the candidates drawn near the warm start."""
    min_std: float = 0.05
    """Lower limit of the std in every iteration."""
    mean_last: bool = True
    """Whether the mean itself is a candidate of the last iteration."""
    rest_first: bool = True
    """Whether doing nothing is a candidate of the first iteration, so that the robot can stay at a
    goal that is reached."""

    def __post_init__(self) -> None:
        smallest = min(self.populations, default=0)
        if smallest < self.num_elites or self.num_elites < 1:
            raise UserError(
                f"Every iteration needs at least num_elites candidates (and at least one), but "
                f"populations is {self.populations} and num_elites is {self.num_elites}: "
                f"enlarge the one or lower the other."
            )
        if self.horizon < 1 or self.hold < 1:
            raise UserError(
                f"horizon and hold must be 1 or more, but they are {self.horizon} and {self.hold}: "
                "raise what is less."
            )
        shares = (self.momentum, self.keep_fraction, self.shift_fraction)
        if not all(0 <= share <= 1 for share in shares):
            raise UserError(
                f"momentum, keep_fraction and shift_fraction must be in [0, 1], "
                f"but they are {shares}: choose others."
            )

    @property
    def rollouts(self) -> int:
        """Candidates evaluated in one plan."""
        return sum(self.populations)

    def plain(self) -> "CEMConfig":
        """Return the plain CEM of the same budget: white noise, equal populations, nothing kept."""
        count = len(self.populations)
        equal = tuple(
            self.rollouts * (i + 1) // count - self.rollouts * i // count for i in range(count)
        )
        return replace(
            self,
            populations=equal,
            noise_exponent=0.0,
            hold=1,
            momentum=0.0,
            keep_fraction=0.0,
            shift_fraction=0.0,
            mean_last=False,
            rest_first=False,
        )


PRESETS: dict[str, CEMConfig] = {
    "fast": CEMConfig(populations=(40, 32, 25), horizon=12, num_elites=10),
    "default": CEMConfig(populations=(128, 102, 82), horizon=12, num_elites=12),
    "thorough": CEMConfig(populations=(246, 197, 157), horizon=15, num_elites=16),
}
"""Named settings, from fast to thorough; `plain` is CEM without the parts of iCEM."""
PRESETS["plain"] = PRESETS["default"].plain()


def unlimited(actions: Candidates) -> Candidates:
    """Return the candidates unchanged: the clip of a world without limits of its own."""
    return actions


@dataclass(frozen=True)
class CEM:
    """The cross-entropy method. It keeps nothing between calls."""

    config: CEMConfig = PRESETS["default"]
    action_size: int = 2
    presets = PRESETS

    @property
    def horizon(self) -> int:
        """Return how many actions a sequence has."""
        return self.config.horizon

    @property
    def rollouts(self) -> int:
        """Return how many candidates one plan asks the cost of."""
        return self.config.rollouts

    @property
    def max_proposals(self) -> int:
        """Return how many sequences it can take into its first population."""
        size = self.config.populations[0]
        room = size - self._num_near(size) - self.config.rest_first
        return min(round(PROPOSED_SHARE * size), room)

    def _num_near(self, size: int) -> int:
        """Return how many of the first population are drawn near a warm start."""
        return round(self.config.shift_fraction * size)

    def plan(
        self,
        cost_of: Callable[[Candidates], Costs],
        warm_start: Float[Tensor, "t a"] | None,
        rng: torch.Generator,
        *,
        clip: Callable[[Candidates], Candidates] = unlimited,
        proposals: Float[Tensor, "m t a"] | None = None,
    ) -> Search:
        """Return the best sequence found, and what was asked on the way (see `types.Search`).

        Deviations from iCEM: Kept elites compete with the cost that they have and are not imagined
        again, so the number of rollouts is exact, and a cost must depend on the actions alone. A
        plan hands on its best sequence only, so a share of the first population is drawn near the
        warm start where iCEM shifts elites. Doing nothing is a candidate, too. Of equal costs the
        earlier candidate wins: where the cost is flat, the warm start.

        Args:
            cost_of: Gives the cost of each candidate; lower is better.
            warm_start: The previous best sequence, shifted by one action; None for a fresh search.
            rng: The same state of it gives the same plan.
            clip: Gives what is really carried out of candidates in [-1, 1]; that competes and is
                returned.
            proposals: Sequences that take places in the first population.

        Raises:
            ValueError: A cost is not finite, or the warm start or the proposals do not fit.
        """
        sizes = self.config.populations
        mean, std = self._start(warm_start, rng)
        best = mean
        best_cost = math.inf
        kept = mean.new_empty(0, *mean.shape)
        kept_costs = mean.new_empty(0)
        elites = kept
        history: list[Costs] = []
        for iteration, size in enumerate(sizes):
            if iteration == 0:
                raw = self._first(size, warm_start, proposals, rng)
            else:
                raw = mean + std * self._noise(size, rng)
                if iteration == len(sizes) - 1 and self.config.mean_last:
                    raw[0] = mean
            candidates = clip(raw.clamp(-1, 1))
            costs = _finite(cost_of(candidates).to(candidates), iteration, size)
            history.append(costs)
            pool = torch.cat([kept, candidates])
            pool_costs = torch.cat([kept_costs, costs])
            order = pool_costs.argsort(stable=True)[: self.config.num_elites]
            elites = pool[order]
            elite_costs = pool_costs[order]
            if elite_costs[0].item() < best_cost:
                best = elites[0]
                best_cost = elite_costs[0].item()
            num_kept = round(self.config.keep_fraction * len(elites))
            kept = elites[:num_kept]
            kept_costs = elite_costs[:num_kept]
            mean, std = self._refit(mean, std, elites)
        order = costs.argsort(stable=True)
        return Search(best, tuple(history), candidates[order], costs[order], elites)

    def _noise(self, num: int, rng: torch.Generator) -> Candidates:
        """Draw noise of unit variance, each value repeated for `hold` steps."""
        num_values = math.ceil(self.config.horizon / self.config.hold)
        shape = (num, num_values, self.action_size)
        noise = colored_noise(shape, self.config.noise_exponent, rng)
        blocks = repeat(noise, "n t a -> n (t hold) a", hold=self.config.hold)
        return blocks[:, : self.config.horizon]

    def _start(
        self, warm_start: Float[Tensor, "t a"] | None, rng: torch.Generator
    ) -> tuple[Float[Tensor, "t a"], Float[Tensor, "t a"]]:
        """Return the mean and std of the first population."""
        shape = (self.config.horizon, self.action_size)
        if warm_start is None:
            mean = torch.zeros(shape, device=rng.device)
        else:
            mean = warm_start.to(rng.device)
        if mean.shape != shape:
            raise ValueError(
                f"a warm start of (horizon, action size) = {shape} was expected, "
                f"got {tuple(mean.shape)}"
            )
        return mean, torch.full_like(mean, self.config.initial_std)

    def _first(
        self,
        size: int,
        warm_start: Float[Tensor, "t a"] | None,
        proposals: Float[Tensor, "m t a"] | None,
        rng: torch.Generator,
    ) -> Candidates:
        """Draw the first population, in this order.

        The warm start, candidates near it, noise at large, proposals, doing nothing.
        """
        mean, std = self._start(warm_start, rng)
        num_near = self._num_near(size) if warm_start is not None else 0
        scale = repeat(std, "t a -> n t a", n=size).clone()
        scale[:num_near] = self.config.warm_std
        scale[: min(num_near, 1)] = 0
        population = mean + scale * self._noise(size, rng)
        if self.config.rest_first:
            population[-1] = 0
        if proposals is not None:
            room = size - num_near - self.config.rest_first
            if len(proposals) > room:
                raise ValueError(
                    f"at most {room} proposals fit into a first population of {size}, "
                    f"got {len(proposals)}"
                )
            end = size - self.config.rest_first
            population[end - len(proposals) : end] = proposals.to(population)
        return population

    def _refit(
        self, mean: Float[Tensor, "t a"], std: Float[Tensor, "t a"], elites: Candidates
    ) -> tuple[Float[Tensor, "t a"], Float[Tensor, "t a"]]:
        """Move the distribution to the elites, with momentum."""
        old = self.config.momentum
        new_mean = old * mean + (1 - old) * elites.mean(0)
        new_std = old * std + (1 - old) * elites.std(0, correction=0)
        return new_mean, new_std.clamp(min=self.config.min_std)


def _finite(costs: Costs, iteration: int, size: int) -> Costs:
    """Return the costs of an iteration, one finite number per candidate, or raise."""
    if costs.shape != (size,):
        raise ValueError(
            f"one cost per candidate: expected ({size},), got {tuple(costs.shape)}"
        )
    bad = int((~costs.isfinite()).sum())
    if bad:
        raise ValueError(f"{bad} of {size} costs are not finite in iteration {iteration}")
    return costs
