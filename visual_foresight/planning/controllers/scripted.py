"""Proposed pushes without a model: what imagining must add to."""

import time
from dataclasses import dataclass, field

import torch

from visual_foresight.interfaces import Locator
from visual_foresight.planning.controllers.parts import Propose, checked_goal, nothing_imagined
from visual_foresight.planning.localization.track import Track
from visual_foresight.types import Clip, Goal, Plan, Workspace


@dataclass(frozen=True)
class ScriptedController:
    """Carries out the first proposed push to its end, and so on, without a model.

    What imagining must add to.
    """

    workspace: Workspace
    propose: Propose
    locator: Locator = field(default_factory=Track)

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the rest of the previous push, or a new one (see `interfaces.Controller`)."""
        start_s = time.perf_counter()
        wanted = checked_goal(goal, (clip.frames.shape[-2], clip.frames.shape[-1]))
        sources = self.locator.locate(clip, wanted, previous)
        actions = (
            self.propose(clip, sources, wanted, rng)[:1]
            if previous is None
            else previous.actions[None, 1:]
        )
        if not actions.any():  # the push is done
            actions = self.propose(clip, sources, wanted, rng)[:1]
        actions = self.workspace.clip(clip.states[0, -1], actions)
        reference = clip.frames[0, -1] if previous is None else previous.reference
        return Plan(
            actions[0],
            sources,
            nothing_imagined(actions, clip),
            (),
            time.perf_counter() - start_s,
            reference,
        )
