"""The proposer `rays`: straight ways into all directions, for a search to begin with."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.env_info import EnvInfo
from visual_foresight.types import Clip, Goal, Pixel


@dataclass(frozen=True)
class Rays:
    """Proposes `count` directions of the first two numbers of an action, at full speed.

    It looks at nothing. One that needs a calibration asks `info.view.calibration("...")` for it,
    and one that needs limits `info.require_workspace("...")`: both refuse in a sentence.
    """

    info: EnvInfo
    count: int
    """How many sequences the planner takes."""
    horizon: int
    """How many actions each has."""

    def __call__(
        self, clip: Clip, sources: tuple[Pixel, ...], goal: Goal, rng: torch.Generator
    ) -> Float[Tensor, "m t a"]:
        """Return the sequences (see `interfaces.Proposer`)."""
        turn = 2 * math.pi * torch.rand((), generator=rng)  # other directions at each replan
        angles = turn + 2 * math.pi * torch.arange(self.count) / max(self.count, 1)
        proposals = torch.zeros(self.count, self.horizon, self.info.action_size)
        proposals[..., 0] = angles.cos()[:, None]
        proposals[..., 1] = angles.sin()[:, None]
        return proposals
