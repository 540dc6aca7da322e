"""Proposed pushes for the first population: go round the object, then push it to the goal.

The cost of a push is flat until the finger touches, so noise alone often finds nothing among a
hundred candidates. Proposals use the fingertip's position, the homography of the camera and the
goal's two pixels; whether a push would work is for the model to say.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from visual_foresight.planning.planners.cem import CEMConfig
from visual_foresight.types import Clip, Goal, Pixel, Workspace
from visual_foresight.vision.homography import apply_homography


@dataclass(frozen=True)
class PushConfig:
    """How proposed pushes vary; pairs are the limits of a uniform distribution."""

    share: float = 0.4
    """Share of the first population that is proposed."""
    clearance_m: float = 0.075
    """Distance from the designated point on the way round it."""
    standoff_m: tuple[float, float] = (0.045, 0.08)
    """Distance behind the point at which a push begins."""
    touch_m: tuple[float, float] = (0.02, 0.045)
    """Distance from the fingertip to the point while pushing."""
    turn_std: float = 0.3
    """Std of the angle, in radians, between a push and the direction to the goal."""
    side_std_m: float = 0.012
    """Std of the sideways distance between a push and the point."""
    reach: tuple[float, float] = (0.6, 1.2)
    """Length of a push as a share of the way to the goal."""
    direct_share: float = 0.3
    """Share of the pushes that begin where the finger is: it may be in place, or pushing."""


@dataclass(frozen=True)
class PushProposals:
    """Draws pushes through the first designated pixel that is to move.

    They are drawn anew at every replan; the first one is always the mean.

    Args:
        workspace: its first two numbers are the fingertip's (x, y).
        homography: from (row, col, 1) in the frame to (x, y, 1) there (see
            `env_info.Homography`).
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
        self, clip: Clip, sources: tuple[Pixel, ...], goal: Goal, rng: torch.Generator
    ) -> Float[Tensor, "m t a"]:
        """Return the pushes (see `interfaces.Proposer`); those after the first one vary it."""
        tip = clip.states[0, -1, :2].double().expand(self.count, 2)
        moving = _first_that_moves(goal)
        point = self._place(sources[moving])
        target = self._place(goal.targets[moving])
        to_target = target - point
        distance = to_target.norm().clamp(min=1e-3)
        turn = self.config.turn_std * self._normal(rng)
        along = _rotate((to_target / distance).expand(self.count, 2), turn)
        across = _quarter_turn(along)
        behind = self._between(self.config.standoff_m, rng)
        start = point - along * behind + across * self.config.side_std_m * self._normal(rng)
        reach = (
            distance * self._between(self.config.reach, rng)
            + behind
            - self._between(self.config.touch_m, rng)
        )
        detour = self._detour(tip, start, point, rng)
        waypoints = torch.stack([detour, start, start + along * reach], 1)
        direct = self._chance(self.config.direct_share, rng)[:, None]
        before_push = (torch.arange(3) < 2)[:, None]
        waypoints = torch.where(direct & before_push, tip[:, None], waypoints)
        return self._follow(tip, waypoints, self._between((0.5, 1.0), rng))

    def _place(self, pixel: Pixel) -> Float[Tensor, "2"]:
        """Return the (x, y) that is seen at a pixel."""
        return torch.from_numpy(
            apply_homography(np.array([pixel.row, pixel.col]), self.homography)
        )

    def _normal(self, rng: torch.Generator) -> Float[Tensor, "m 1"]:
        """Draw from the unit normal distribution; the first number is the mean."""
        drawn = torch.randn(self.count, 1, generator=rng, dtype=torch.float64)
        drawn[:1] = 0
        return drawn

    def _between(
        self, limits: tuple[float, float], rng: torch.Generator
    ) -> Float[Tensor, "m 1"]:
        """Draw uniformly between limits; the first number is the mean."""
        share = torch.rand(self.count, 1, generator=rng, dtype=torch.float64)
        share[:1] = 0.5
        return limits[0] + (limits[1] - limits[0]) * share

    def _chance(self, share: float, rng: torch.Generator) -> Bool[Tensor, "m 1"]:
        """Draw what happens with this probability; never for the first push."""
        happens = torch.rand(self.count, 1, generator=rng) < share
        happens[:1] = False
        return happens

    def _detour(
        self,
        tip: Float[Tensor, "m 2"],
        start: Float[Tensor, "m 2"],
        point: Float[Tensor, "2"],
        rng: torch.Generator,
    ) -> Float[Tensor, "m 2"]:
        """Return a place beside the point, or the start where the straight way does not hit it."""
        line = start - tip
        length_squared = line.square().sum(1, keepdim=True).clamp(min=1e-6)
        nearest = ((point - tip) * line).sum(1, keepdim=True) / length_squared
        passing = tip + nearest.clamp(0, 1) * line - point
        aside = _quarter_turn(line / line.norm(dim=1, keepdim=True).clamp(min=1e-3))
        side = torch.where((passing * aside).sum(1, keepdim=True) >= 0, 1.0, -1.0)
        flip = torch.where(self._chance(0.25, rng), -1.0, 1.0)
        too_near = passing.norm(dim=1, keepdim=True) < 0.6 * self.config.clearance_m
        blocked = (nearest > 0) & (nearest < 1) & too_near
        return torch.where(
            blocked, point + aside * side * flip * self.config.clearance_m, start
        )

    def _follow(
        self,
        tip: Float[Tensor, "m 2"],
        waypoints: Float[Tensor, "m k 2"],
        speed: Float[Tensor, "m 1"],
    ) -> Float[Tensor, "m t a"]:
        """Return the actions from waypoint to waypoint.

        `speed`, the largest component of an action, applies to the last stretch; before, it is 1.
        """
        step = torch.tensor(self.workspace.step[:2], dtype=torch.float64)
        actions = torch.zeros(self.count, self.search.horizon, len(self.workspace.step))
        each = torch.arange(self.count)
        position = tip.clone()
        index = torch.zeros(self.count, dtype=torch.long)
        last = waypoints.shape[1] - 1
        for t in range(self.search.horizon):
            for _ in range(last):  # a waypoint that is reached already takes no time
                gap = (waypoints[each, index] - position).abs().amax(1)
                index = (index + (gap < 1e-6).long()).clamp(max=last)
            wanted = (waypoints[each, index] - position) / step
            limit = torch.where((index == last)[:, None], speed, torch.ones_like(speed))
            action = wanted / (wanted.abs().amax(1, keepdim=True) / limit).clamp(min=1)
            actions[:, t, :2] = action.float()
            position = position + action * step
        return actions


def _first_that_moves(goal: Goal) -> int:
    """Return the index of the first designated pixel whose goal is elsewhere, or 0."""
    pairs = zip(goal.sources, goal.targets, strict=True)
    return next((index for index, (source, target) in enumerate(pairs) if source != target), 0)


def _rotate(vectors: Float[Tensor, "m 2"], angle: Float[Tensor, "m 1"]) -> Float[Tensor, "m 2"]:
    """Turn vectors by angles in radians."""
    cos = angle[:, 0].cos()
    sin = angle[:, 0].sin()
    x, y = vectors.unbind(1)
    return torch.stack([cos * x - sin * y, sin * x + cos * y], 1)


def _quarter_turn(vectors: Float[Tensor, "m 2"]) -> Float[Tensor, "m 2"]:
    """Turn vectors by 90 degrees."""
    # Through `_rotate`, whose cosine is not exactly 0: published trials were drawn with it.
    return _rotate(vectors, torch.full_like(vectors[:, :1], torch.pi / 2))
