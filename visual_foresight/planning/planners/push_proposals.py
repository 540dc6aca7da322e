"""Sequences worth a place in the first population: go round the object, then push it toward the
goal.

The cost of a push is flat until the finger touches, so noise alone often finds nothing among a
hundred candidates. These know where the finger is, where the camera sees the table, and the two
pixels of the goal; whether a push would work is for the model to say.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from visual_foresight.planning.planners.cem import CEMConfig
from visual_foresight.types import Clip, Pixel, PixelGoal, Workspace
from visual_foresight.vision.homography import apply_homography


@dataclass(frozen=True)
class PushConfig:
    """How proposed pushes vary."""

    share: float = 0.4
    """Of the first population."""
    clearance_m: float = 0.075
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
    """Of the pushes begin where the finger is: it may be in place already, or pushing."""


@dataclass(frozen=True)
class PushProposals:
    """Draws pushes through the first designated pixel that is to move: anew at every replan,
    but the first is always the mean.

    Args:
        workspace: its first two numbers are the fingertip's (x, y).
        homography: from (row, col, 1) in the frame to (x, y, 1) there (see
            `interfaces.Env.homography`).
        search: the search that they are for: how many are wanted, and how long.
        config: how they vary.
    """

    workspace: Workspace
    homography: Float[np.ndarray, "3 3"]
    search: CEMConfig
    config: PushConfig = PushConfig()

    @property
    def count(self) -> int:
        """Return how many are drawn."""
        return round(self.config.share * self.search.populations[0])

    def __call__(
        self, clip: Clip, sources: tuple[Pixel, ...], goal: PixelGoal, rng: torch.Generator
    ) -> Float[Tensor, "m t a"]:
        """Return the sequences (see `mpc.Propose`).

        The first is the push that those after it vary.
        """
        tip = clip.states[0, -1, :2].double().expand(self.count, 2)
        pairs = zip(goal.sources, goal.targets, strict=True)
        first = next((number for number, (start, end) in enumerate(pairs) if start != end), 0)
        point, target = self._place(sources[first]), self._place(goal.targets[first])
        way = target - point
        distance = way.norm().clamp(min=1e-3)
        turn = self.config.turn_std * self._normal(rng)
        along = _rotate((way / distance).expand(self.count, 2), turn)
        across = _rotate(along, torch.full_like(turn, torch.pi / 2))
        behind = self._between(self.config.standoff_m, rng)
        start = point - along * behind + across * self.config.side_std_m * self._normal(rng)
        reach = (
            distance * self._between(self.config.reach, rng)
            + behind
            - self._between(self.config.touch_m, rng)
        )
        waypoints = torch.stack(
            [self._way_round(tip, start, point, rng), start, start + along * reach], 1
        )
        direct = self._chance(self.config.direct_share, rng)[:, None]
        waypoints = torch.where(
            direct & (torch.arange(3) < 2)[:, None], tip[:, None], waypoints
        )
        return self._follow(tip, waypoints, self._between((0.5, 1.0), rng))

    def _place(self, pixel: Pixel) -> Float[Tensor, "2"]:
        return torch.from_numpy(
            apply_homography(np.array([pixel.row, pixel.col]), self.homography)
        )

    def _normal(self, rng: torch.Generator) -> Float[Tensor, "m 1"]:
        drawn = torch.randn(self.count, 1, generator=rng, dtype=torch.float64)
        drawn[:1] = 0
        return drawn

    def _between(
        self, limits: tuple[float, float], rng: torch.Generator
    ) -> Float[Tensor, "m 1"]:
        share = torch.rand(self.count, 1, generator=rng, dtype=torch.float64)
        share[:1] = 0.5
        return limits[0] + (limits[1] - limits[0]) * share

    def _chance(self, share: float, rng: torch.Generator) -> Bool[Tensor, "m 1"]:
        happens = torch.rand(self.count, 1, generator=rng) < share
        happens[:1] = False
        return happens

    def _way_round(
        self,
        tip: Float[Tensor, "m 2"],
        start: Float[Tensor, "m 2"],
        point: Float[Tensor, "2"],
        rng: torch.Generator,
    ) -> Float[Tensor, "m 2"]:
        """Return a place beside the point where the straight way would run over it, and the start itself elsewhere."""
        line = start - tip
        nearest = ((point - tip) * line).sum(1, keepdim=True) / line.square().sum(
            1, keepdim=True
        ).clamp(min=1e-6)
        passing = tip + nearest.clamp(0, 1) * line - point
        aside = _rotate(
            line / line.norm(dim=1, keepdim=True).clamp(min=1e-3),
            torch.full_like(nearest, torch.pi / 2),
        )
        side = torch.where((passing * aside).sum(1, keepdim=True) >= 0, 1.0, -1.0)
        flip = torch.where(self._chance(0.25, rng), -1.0, 1.0)
        blocked = (
            (nearest > 0)
            & (nearest < 1)
            & (passing.norm(dim=1, keepdim=True) < 0.6 * self.config.clearance_m)
        )
        return torch.where(
            blocked, point + aside * side * flip * self.config.clearance_m, start
        )

    def _follow(
        self,
        tip: Float[Tensor, "m 2"],
        waypoints: Float[Tensor, "m k 2"],
        speed: Float[Tensor, "m 1"],
    ) -> Float[Tensor, "m t a"]:
        """Return the actions that go from waypoint to waypoint, at full speed up to the last stretch."""
        step = torch.tensor(self.workspace.step[:2], dtype=torch.float64)
        actions = torch.zeros(self.count, self.search.horizon, len(self.workspace.step))
        position, index = tip.clone(), torch.zeros(self.count, dtype=torch.long)
        last = waypoints.shape[1] - 1
        for t in range(self.search.horizon):
            for _ in range(last):  # what is reached already takes no time
                gap = (waypoints[torch.arange(self.count), index] - position).abs().amax(1)
                index = (index + (gap < 1e-6).long()).clamp(max=last)
            wanted = (waypoints[torch.arange(self.count), index] - position) / step
            limit = torch.where((index == last)[:, None], speed, torch.ones_like(speed))
            action = wanted / (wanted.abs().amax(1, keepdim=True) / limit).clamp(min=1)
            actions[:, t, :2] = action.float()
            position = position + action * step
        return actions


def _rotate(vectors: Float[Tensor, "m 2"], angle: Float[Tensor, "m 1"]) -> Float[Tensor, "m 2"]:
    """Turn vectors by angles in radians."""
    cos, sin = angle[:, 0].cos(), angle[:, 0].sin()
    x, y = vectors.unbind(1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1)
