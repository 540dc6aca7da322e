"""Sequences worth a place in the first population: go round the object, then push it toward the goal.

The cost of a push is flat until the finger touches, so noise alone often finds nothing among a hundred candidates. These
know where the finger is, where the camera sees the table, and the two pixels of the goal; whether a push would work is for
the model to say.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.planning.cem import CEMConfig
from visual_foresight.types import Clip, Pixel, PixelGoal, Workspace


@dataclass(frozen=True)
class PushConfig:
    """How proposed pushes vary."""

    share: float = 0.4
    """Of the first population."""
    clearance_m: float = 0.065
    """From the designated point, on the way round."""
    standoff_m: tuple[float, float] = (0.045, 0.08)
    """Behind the point, where a push begins."""
    touch_m: tuple[float, float] = (0.02, 0.045)
    """From the fingertip to the point while pushing."""
    turn_std: float = 0.3
    """Radians by which a push aims beside the goal."""
    side_std_m: float = 0.012
    """By which it misses the point."""
    reach: tuple[float, float] = (0.6, 1.2)
    """Share of the way to the goal."""
    direct_share: float = 0.3
    """Of the pushes do not draw back first: the finger may be in place already."""


@dataclass(frozen=True)
class PushProposals:
    """Draws pushes through the first designated pixel; a fresh draw at every replan.

    Args:
        workspace: its first two numbers are the fingertip's (x, y).
        table: homography from (row, col, 1) in the frame to (x, y, 1) there (see `interfaces.Env.table`).
        search: the search that they are for: how many are wanted, and how long.
        config: how they vary.
    """

    workspace: Workspace
    table: Float[np.ndarray, "3 3"]
    search: CEMConfig
    config: PushConfig = PushConfig()

    @property
    def count(self) -> int:
        """Return how many are drawn."""
        return round(self.config.share * self.search.populations[0])

    def __call__(
        self, clip: Clip, sources: tuple[Pixel, ...], goal: PixelGoal, rng: torch.Generator
    ) -> Float[Tensor, "m t a"]:
        """Return the sequences (see `mpc.Propose`)."""
        tip = clip.states[0, -1, :2].double().expand(self.count, 2)
        point, target = self._place(sources[0]), self._place(goal.targets[0])
        way = target - point
        distance = way.norm().clamp(min=1e-3)
        turn = self.config.turn_std * self._normal(rng)
        along = _rotate((way / distance).expand(self.count, 2), turn)
        across = _rotate(along, torch.full_like(turn, torch.pi / 2))
        behind = self._between(self.config.standoff_m, rng)
        direct = torch.rand(self.count, 1, generator=rng) < self.config.direct_share
        behind = torch.where(direct, torch.full_like(behind, self.config.standoff_m[0]), behind)
        start = point - along * behind + across * self.config.side_std_m * self._normal(rng)
        reach = distance * self._between(self.config.reach, rng) + behind - self._between(self.config.touch_m, rng)
        round_it = self._way_round(tip, start, point, rng)
        waypoints = torch.stack([round_it, start, start + along * reach], 1)
        return self._follow(tip, waypoints, self._between((0.5, 1.0), rng))

    def _place(self, pixel: Pixel) -> Float[Tensor, "2"]:
        x, y, scale = self.table @ (pixel.row, pixel.col, 1.0)
        return torch.tensor([x / scale, y / scale], dtype=torch.float64)

    def _normal(self, rng: torch.Generator) -> Float[Tensor, "m 1"]:
        return torch.randn(self.count, 1, generator=rng, dtype=torch.float64)

    def _between(self, limits: tuple[float, float], rng: torch.Generator) -> Float[Tensor, "m 1"]:
        return limits[0] + (limits[1] - limits[0]) * torch.rand(self.count, 1, generator=rng, dtype=torch.float64)

    def _way_round(
        self, tip: Float[Tensor, "m 2"], start: Float[Tensor, "m 2"], point: Float[Tensor, "2"], rng: torch.Generator
    ) -> Float[Tensor, "m 2"]:
        """Return a place beside the point where the straight way would run over it, and the start itself elsewhere."""
        line = start - tip
        nearest = ((point - tip) * line).sum(1, keepdim=True) / line.square().sum(1, keepdim=True).clamp(min=1e-6)
        passing = tip + nearest.clamp(0, 1) * line - point
        aside = _rotate(line / line.norm(dim=1, keepdim=True).clamp(min=1e-3), torch.full_like(nearest, torch.pi / 2))
        side = torch.where((passing * aside).sum(1, keepdim=True) >= 0, 1.0, -1.0)
        flip = torch.where(torch.rand(self.count, 1, generator=rng) < 0.25, -1.0, 1.0)
        blocked = (nearest > 0) & (nearest < 1) & (passing.norm(dim=1, keepdim=True) < 0.6 * self.config.clearance_m)
        return torch.where(blocked, point + aside * side * flip * self.config.clearance_m, start)

    def _follow(
        self, tip: Float[Tensor, "m 2"], waypoints: Float[Tensor, "m k 2"], speed: Float[Tensor, "m 1"]
    ) -> Float[Tensor, "m t a"]:
        """Return the actions that go from waypoint to waypoint, at full speed up to the last stretch."""
        step = torch.tensor(self.workspace.step[:2], dtype=torch.float64)
        actions = torch.zeros(self.count, self.search.horizon, len(self.workspace.step))
        position, index = tip.clone(), torch.zeros(self.count, dtype=torch.long)
        last = waypoints.shape[1] - 1
        for t in range(self.search.horizon):
            wanted = (waypoints[torch.arange(self.count), index] - position) / step
            limit = torch.where((index == last)[:, None], speed, torch.ones_like(speed))
            action = wanted / (wanted.abs().amax(1, keepdim=True) / limit).clamp(min=1)
            actions[:, t, :2] = action.float()
            position = position + action * step
            index = (index + ((wanted - action).norm(dim=1) < 1e-6).long()).clamp(max=last)
        return actions


def _rotate(vectors: Float[Tensor, "m 2"], angle: Float[Tensor, "m 1"]) -> Float[Tensor, "m 2"]:
    """Turn vectors by angles in radians."""
    cos, sin = angle[:, 0].cos(), angle[:, 0].sin()
    x, y = vectors.unbind(1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1)
