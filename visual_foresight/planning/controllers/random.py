"""Smooth random actions: the floor that any method must beat."""

import time
from dataclasses import dataclass

import torch

from visual_foresight.env_info import Limits
from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.types import Clip, Goal, Pixel, Plan, Prediction


@dataclass(frozen=True)
class RandomController:
    """Smooth random actions inside the workspace; it looks at nothing and imagines nothing."""

    workspace: Limits
    horizon: int = 12
    """Actions per sequence; after the last one, another sequence is drawn."""
    noise_exponent: float = 2.0
    """See `colored_noise`: 2 is the spectrum of a random walk."""
    std: float = 1.0
    """Standard deviation of each number of an action, before it is clipped."""

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the rest of the previous sequence, or a new one when it is used up."""
        start_s = time.perf_counter()
        if previous is not None and len(previous.actions) > 1:
            actions = previous.actions[None, 1:]
        else:
            shape = (1, self.horizon, self.workspace.action_size)
            actions = self.std * colored_noise(shape, self.noise_exponent, rng)
        actions = self.workspace.clip(clip.states[0, -1], actions)
        return Plan(
            actions=actions[0],
            sources=(),
            prediction=Prediction.without_model(actions, clip.frame_size),
            costs=(),
            seconds=time.perf_counter() - start_s,
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return nothing: it does not look."""
        return ()
