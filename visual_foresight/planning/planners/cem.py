"""Cross-entropy search over action sequences, in its improved form (iCEM) and, as a setting, in
its plain form.

It knows neither images nor models: a function gives the cost of candidates, another says what
of them would really be carried out. Source: Pinneri et al., "Sample-efficient Cross-Entropy
Method for Real-time Planning", CoRL 2020 (iCEM).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.types import UserError

Candidates = Float[Tensor, "n t a"]
Costs = Float[Tensor, " n"]
History = tuple[Float[Tensor, " _"], ...]  # one tensor per iteration, each of its own length


@dataclass(frozen=True)
class CEMConfig:
    """How widely and how long to search.

    An action's range is [-1, 1], so its half range, the unit of every std, is 1.
    """

    populations: tuple[int, ...] = (128, 102, 82)
    """New candidates per iteration; the sum is the exact number of rollouts. iCEM shrinks it by
    1.25 each time."""
    horizon: int = 12
    """Actions per candidate."""
    num_elites: int = 12
    """Best candidates that the next distribution is fitted to."""
    noise_exponent: float = 2.0
    """Power of the noise falls as frequency ** -noise_exponent: 0 is white, 2 is a random
    walk's (slow, smooth pushes)."""
    hold: int = 1
    """Steps for which each noise value is held (action blocks); 1 means none."""
    momentum: float = 0.1
    """Share of the old mean and std in the new ones."""
    keep_fraction: float = 0.3
    """Share of the elites that competes again in the next iteration."""
    shift_fraction: float = 0.3
    """Share of the first population drawn near the warm start; the warm start itself is one of
    them."""
    initial_std: float = 1.0
    """Std of the first population. iCEM has 0.5; a push must first go round the object, and the
    cost is flat until then (toy pushing with the exact model, 97 rollouts, 8-12 cm: 90 % of 40
    pushes end within 5 cm at 0.5, all at 1)."""
    warm_std: float = 0.2
    """Std of the candidates drawn near the warm start."""
    min_std: float = 0.05
    """The search never becomes narrower than this."""
    mean_last: bool = True
    """Whether the mean itself is one of the candidates of the last iteration."""
    rest_first: bool = True
    """Whether doing nothing is one of the candidates of the first iteration, so that a goal
    that is reached is kept."""

    def __post_init__(self) -> None:
        if (
            not self.populations
            or min(self.populations) < self.num_elites
            or self.num_elites < 1
        ):
            raise UserError(
                f"Every iteration needs at least num_elites candidates (and at least one), but populations is "
                f"{self.populations} and num_elites is {self.num_elites}: enlarge the one or lower the other."
            )
        if self.horizon < 1 or self.hold < 1:
            raise UserError(
                f"horizon and hold must be 1 or more, but they are {self.horizon} and {self.hold}."
            )
        shares = (self.momentum, self.keep_fraction, self.shift_fraction)
        if not all(0 <= share <= 1 for share in shares):
            raise UserError(
                f"momentum, keep_fraction and shift_fraction must be in [0, 1], but they are {shares}."
            )

    @property
    def rollouts(self) -> int:
        """Candidates evaluated in one plan."""
        return sum(self.populations)

    def plain(self) -> "CEMConfig":
        """Return the plain CEM of the same budget.

        White noise, equal populations, nothing kept, shifted or remembered.
        """
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


def as_asked(actions: Candidates) -> Candidates:
    """Return the candidates unchanged: the clip of a world without limits of its own."""
    return actions


@dataclass(frozen=True)
class CEM:
    """The planner. It keeps nothing between calls."""

    config: CEMConfig = field(default_factory=CEMConfig)
    action_size: int = 2

    def plan(
        self,
        cost_of: Callable[[Candidates], Costs],
        warm_start: Float[Tensor, "t a"] | None,
        rng: torch.Generator,
        *,
        clip: Callable[[Candidates], Candidates] = as_asked,
        proposals: Float[Tensor, "m t a"] | None = None,
    ) -> tuple[Float[Tensor, "t a"], History]:
        """Return the best sequence found, and the costs of the new candidates of each iteration.

        Deviations from iCEM. Kept elites compete with the cost that they have and are not
        imagined again, so a cost must depend on the actions alone, and the number of rollouts
        is exact. A plan remembers its best sequence only, so in place of shifted elites the
        first population has a share drawn close to the warm start. It has doing nothing too. Of
        equal costs the earlier candidate wins: the warm start, where the cost is flat.

        Args:
            cost_of: Lower is better.
            warm_start: The last best sequence, already moved on by one action; None for a fresh
                search.
            rng: The same state of it gives the same plan.
            clip: What of candidates in [-1, 1] is really carried out; the result is what
                competes and is returned.
            proposals: Sequences from elsewhere that take places in the first population.

        Raises:
            ValueError: A cost is not finite.
        """
        sizes = self.config.populations
        mean, std = self._start(warm_start, rng)
        best, best_cost = mean, math.inf
        kept, kept_costs = mean.new_empty(0, *mean.shape), mean.new_empty(0)
        history = []
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
            pool, pool_costs = torch.cat([kept, candidates]), torch.cat([kept_costs, costs])
            order = pool_costs.argsort(stable=True)[: self.config.num_elites]
            elites, elite_costs = pool[order], pool_costs[order]
            if elite_costs[0].item() < best_cost:
                best, best_cost = elites[0], elite_costs[0].item()
            num_kept = round(self.config.keep_fraction * len(elites))
            kept, kept_costs = elites[:num_kept], elite_costs[:num_kept]
            mean, std = self._refit(mean, std, elites)
        return best, tuple(history)

    def _noise(self, num: int, rng: torch.Generator) -> Candidates:
        """Draw unit noise, each value held for `hold` steps."""
        steps = math.ceil(self.config.horizon / self.config.hold)
        noise = colored_noise((num, steps, self.action_size), self.config.noise_exponent, rng)
        return repeat(noise, "n t a -> n (t hold) a", hold=self.config.hold)[
            :, : self.config.horizon
        ]

    def _start(
        self, warm_start: Float[Tensor, "t a"] | None, rng: torch.Generator
    ) -> tuple[Float[Tensor, "t a"], Float[Tensor, "t a"]]:
        """Return the mean and std of the first population."""
        shape = (self.config.horizon, self.action_size)
        mean = (
            torch.zeros(shape, device=rng.device)
            if warm_start is None
            else warm_start.to(rng.device)
        )
        if mean.shape != shape:
            raise ValueError(
                f"a warm start of (horizon, action size) = {shape} was expected, got {tuple(mean.shape)}"
            )
        return mean, torch.full_like(mean, self.config.initial_std)

    def _first(
        self,
        size: int,
        warm_start: Float[Tensor, "t a"] | None,
        proposals: Float[Tensor, "m t a"] | None,
        rng: torch.Generator,
    ) -> Candidates:
        """Draw the first population.

        Near the warm start (itself first), noise at large, proposals, doing nothing.
        """
        mean, std = self._start(warm_start, rng)
        num_near = round(self.config.shift_fraction * size) if warm_start is not None else 0
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
                    f"at most {room} proposals fit into a first population of {size}, got {len(proposals)}"
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
    if costs.shape != (size,):
        raise ValueError(
            f"one cost per candidate: expected ({size},), got {tuple(costs.shape)}"
        )
    bad = int((~costs.isfinite()).sum())
    if bad:
        raise ValueError(f"{bad} of {size} costs are not finite in iteration {iteration}")
    return costs
