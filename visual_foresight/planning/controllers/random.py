"""The floor: smooth random actions."""

import time
from dataclasses import dataclass

import torch

from visual_foresight.planning.controllers.parts import nothing_imagined
from visual_foresight.planning.planners.colored_noise import colored_noise
from visual_foresight.types import Clip, Goal, Plan, Workspace


@dataclass(frozen=True)
class RandomController:
    """Smooth random actions inside the workspace: what any method must beat.

    It looks at nothing and imagines nothing.
    """

    workspace: Workspace
    horizon: int = 12
    noise_exponent: float = 2.0
    std: float = 1.0

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the rest of the previous plan, so that what is carried out is smooth.

        A new one when it is used up.
        """
        start_s = time.perf_counter()
        if previous is not None and len(previous.actions) > 1:
            actions = previous.actions[None, 1:]
        else:
            shape = (1, self.horizon, len(self.workspace.step))
            actions = self.std * colored_noise(shape, self.noise_exponent, rng)
        actions = self.workspace.clip(clip.states[0, -1], actions)
        return Plan(
            actions[0],
            (),
            nothing_imagined(actions, clip),
            (),
            time.perf_counter() - start_s,
            clip.frames[0, -1],
        )
