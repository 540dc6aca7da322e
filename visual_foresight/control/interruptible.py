"""A controller whose search another thread can break off."""

import time
from dataclasses import dataclass
from threading import Event

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.replay import imagine
from visual_foresight.interfaces import Controller, Cost
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.types import Clip, Goal, Pixel, Plan, Prediction


class StoppedError(Exception):
    """Planning was interrupted."""


@dataclass(frozen=True)
class InterruptibleCost:
    """A cost that is not computed once `stop` is set.

    A search asks for many costs, one batch after the other, and is interrupted between two.
    """

    cost: Cost
    stop: Event

    @property
    def needs(self) -> frozenset[str]:
        """Return what the cost needs."""
        return self.cost.needs

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate.

        Raises:
            StoppedError: `stop` is set.
        """
        if self.stop.is_set():
            raise StoppedError
        return self.cost(prediction)


@dataclass(frozen=True)
class InterruptibleController:
    """Returns a plan to do nothing when its planning was interrupted; it is never carried out."""

    controller: Controller

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the controller's plan, or that of doing nothing (see `interfaces.Controller`).

        The designated pixels are where the controller believes them to be, also then.
        """
        start_s = time.perf_counter()
        try:
            return self.controller.plan(clip, goal, previous, rng)
        except StoppedError:
            places = self.controller.locate(clip, goal, previous)
            rest = torch.zeros(1, clip.actions.shape[-1])
            return Plan(
                actions=rest,
                sources=places,
                prediction=imagine(Persistence(), clip, rest[None], [places]),
                costs=(),
                seconds=time.perf_counter() - start_s,
            )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the controller believes the designated pixels to be."""
        return self.controller.locate(clip, goal, previous)
