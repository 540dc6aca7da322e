"""Proposed pushes carried out without a model: what imagining must add to."""

import time
from dataclasses import dataclass, field

import torch

from visual_foresight.goals.pixel_goal import require_pixels
from visual_foresight.interfaces import Locator, Proposer
from visual_foresight.planning.localization.after_plan import locate_after
from visual_foresight.planning.localization.track import Track
from visual_foresight.types import Clip, Goal, Pixel, Plan, Prediction, Workspace


@dataclass(frozen=True)
class ScriptedController:
    """Carries out the first proposed push to its end, then the first of new proposals, etc."""

    workspace: Workspace
    propose: Proposer
    locator: Locator = field(default_factory=Track)

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the rest of the previous push, or a new one (see `interfaces.Controller`)."""
        start_s = time.perf_counter()
        require_pixels(goal, clip.frame_size)
        memory, sources = locate_after(previous, self.locator, clip, goal)
        if previous is None:
            actions = self.propose(clip, sources, goal, rng)[:1]
        else:
            actions = previous.actions[None, 1:]
        if not actions.any():  # the push is done
            actions = self.propose(clip, sources, goal, rng)[:1]
        actions = self.workspace.clip(clip.states[0, -1], actions)
        return Plan(
            actions=actions[0],
            sources=sources,
            prediction=Prediction.without_model(actions, clip.frame_size),
            costs=(),
            seconds=time.perf_counter() - start_s,
            memory=memory,
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the locator finds the designated pixels."""
        _, places = locate_after(previous, self.locator, clip, goal)
        return places
