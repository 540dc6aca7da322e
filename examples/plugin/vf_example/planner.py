"""The planner `shooting`: random shooting, the plainest search that there is.

Nagabandi et al., "Neural Network Dynamics for Model-Based Deep Reinforcement Learning with
Model-Free Fine-Tuning", 2018, section IV-D. Deviations: each draw is held for some steps, since a
finger that trembles pushes nothing; the previous plan and doing nothing compete, too.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import Search

Candidates = Float[Tensor, "n t a"]


@dataclass(frozen=True)
class ShootingConfig:
    """How much to search."""

    rollouts: int = 300
    """Candidates of one plan."""
    horizon: int = 12
    """Actions per candidate."""
    hold: int = 3
    """Steps for which each draw is held; the horizon is a multiple of it."""


@dataclass(frozen=True)
class Shooting:
    """Draws sequences, asks for their costs at once, and takes the cheapest."""

    config: ShootingConfig
    action_size: int
    presets = {  # noqa: RUF012  (read only)
        "fast": ShootingConfig(rollouts=100),
        "default": ShootingConfig(),
        "thorough": ShootingConfig(rollouts=1000),
    }

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
        """Return how many sequences it can take in: half of all."""
        return self.config.rollouts // 2

    def plan(
        self,
        cost_of: Callable[[Candidates], Float[Tensor, " n"]],
        warm_start: Float[Tensor, "t a"] | None,
        rng: torch.Generator,
        *,
        clip: Callable[[Candidates], Candidates],
        proposals: Float[Tensor, "m t a"] | None = None,
    ) -> Search:
        """Return the cheapest sequence (see `interfaces.Planner`)."""
        given = [torch.zeros(1, self.horizon, self.action_size)]  # doing nothing
        if warm_start is not None:
            given.append(warm_start[None].to(given[0]))
        if proposals is not None:
            given.append(proposals.to(given[0]))
        num_drawn = self.rollouts - sum(map(len, given))
        shape = (num_drawn, self.horizon // self.config.hold, self.action_size)
        drawn = 2 * torch.rand(shape, generator=rng) - 1
        held = repeat(drawn, "n t a -> n (t hold) a", hold=self.config.hold)
        candidates = clip(torch.cat([*given, held]).clamp(-1, 1))
        costs = cost_of(candidates).to(candidates)
        if not costs.isfinite().all():
            raise ValueError(f"{int((~costs.isfinite()).sum())} costs are not finite")
        order = costs.argsort(stable=True)
        return Search(candidates[order[0]], (costs,), candidates[order], costs[order])
