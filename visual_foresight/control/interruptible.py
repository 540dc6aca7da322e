"""A controller whose planning may be interrupted."""

from dataclasses import dataclass

import torch

from visual_foresight.control.replay import ReplayController
from visual_foresight.interfaces import Controller
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.predictors.wrappers.interruptible import StoppedError
from visual_foresight.types import Clip, Goal, Pixel, Plan


@dataclass(frozen=True)
class InterruptibleController:
    """Returns a plan to do nothing when its planning was interrupted; it is never carried out."""

    controller: Controller

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the controller's plan, or that of doing nothing (see `interfaces.Controller`)."""
        try:
            return self.controller.plan(clip, goal, previous, rng)
        except StoppedError:
            rest = torch.zeros(1, clip.actions.shape[-1])
            return ReplayController(Persistence(), rest).plan(clip, goal, None, rng)

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the controller believes the designated pixels to be."""
        return self.controller.locate(clip, goal, previous)
