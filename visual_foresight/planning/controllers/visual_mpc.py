"""Visual model-predictive control: locate the pixels, imagine candidates, choose the cheapest.

The controller sees the clip, the goal and its own previous plan; it never holds an env.
Everything that may vary (model, limits, search, locator, proposals) is a part that is given, so
another method is another set of parts.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.env_info import Limits
from visual_foresight.interfaces import (
    Cost,
    FramesOnly,
    Locator,
    Planner,
    Predictor,
    Proposer,
)
from visual_foresight.planning.costs.needs import require
from visual_foresight.planning.costs.registry import make_cost
from visual_foresight.planning.localization.after_plan import locate_after
from visual_foresight.planning.localization.track import Track
from visual_foresight.types import (
    Clip,
    Goal,
    Pixel,
    Plan,
    UserError,
)
from visual_foresight.vision.pixel_maps import places_of


@dataclass(frozen=True)
class VisualMPC:
    """Model-predictive control from frames.

    Ebert et al., "Visual Foresight: Model-Based Deep Reinforcement Learning for Vision-Based
    Robotic Control", 2018.
    """

    predictor: Predictor
    limits: Limits
    planner: Planner
    locator: Locator = field(default_factory=Track)
    cost_of: Callable[[Goal], Cost] = make_cost
    """Gives the cost of futures for a goal."""
    propose: Proposer | None = None
    """Where other candidates come from, if anywhere, for goals with designated pixels."""
    batch: int = 128
    """Candidates imagined at once: memory against speed."""
    decode_best: bool = True
    """Whether to imagine the frames of the chosen plan too, to show them."""
    num_runners_up: int = 0
    """How many other candidates of the last iteration to imagine beside the chosen plan, to show
    them."""

    @torch.inference_mode()
    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the best plan found for the clip's newest frame (see `interfaces.Controller`).

        Args:
            clip: b = 1, with as many frames as the predictor's context or more; `Track` wants
                two at least.
            goal: The sources are places in the frame that was the newest one when `previous`
                was None.
            previous: The plan whose first action has been carried out since; None at the first
                plan for a goal.
            rng: The same state of it gives the same plan.

        Raises:
            UserError: The goal does not fit the frame, or the predictor cannot be planned with
                for such a goal, or such a cost; or a cost is not finite.
        """
        start_s = time.perf_counter()
        goal.check(clip.frame_size)
        cost = self._cost(goal)
        memory, sources = locate_after(previous, self.locator, clip, goal)
        carry = self.predictor.observe(clip.newest(self.predictor.context))
        if not isinstance(self.predictor, FramesOnly):
            carry = self.predictor.designate(carry, places_of(sources)[None].to(clip.frames))
        state = clip.states[0, -1]

        def costs_of(candidates: Float[Tensor, "n t a"]) -> Float[Tensor, " n"]:
            costs = []
            for batch in candidates.to(clip.frames).split(self.batch):
                imagined = self.predictor.imagine(carry, batch, "frames" in cost.needs)
                costs.append(cost(require(cost.needs, imagined)))
            return _finite(torch.cat(costs))

        proposals = None
        if self.propose is not None and goal.sources:
            proposals = self.propose(clip, sources, goal, rng)
        search = self.planner.plan(
            costs_of,
            shifted(previous, self.planner.horizon),
            rng,
            clip=lambda candidates: self.limits.clip(state, candidates),
            proposals=proposals,
        )
        runners_up = search.others[: self.num_runners_up]
        shown = torch.cat([search.best[None], runners_up])
        return Plan(
            actions=search.best,
            sources=sources,
            prediction=self.predictor.imagine(carry, shown.to(clip.frames), self.decode_best),
            costs=search.costs,
            seconds=time.perf_counter() - start_s,
            memory=memory,
            runners_up=runners_up,
            elites=search.elites,
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the locator finds the designated pixels (see `interfaces.Controller`)."""
        _, places = locate_after(previous, self.locator, clip, goal)
        return places

    def _cost(self, goal: Goal) -> Cost:
        """Return the cost of the goal, which must be one that the predictor can serve."""
        cost = self.cost_of(goal)
        if "maps" in cost.needs and isinstance(self.predictor, FramesOnly):
            raise UserError(
                "This predictor imagines frames only and cannot say where a designated pixel goes: "
                "give a goal image, or choose a predictor that moves pixels."
            )
        return cost


def _finite(costs: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Return the costs, each of which must be a finite number."""
    num_bad = int((~costs.isfinite()).sum())
    if num_bad:
        raise UserError(
            f"{num_bad} of {len(costs)} costs are not finite: what the model imagines, or the "
            "cost, is at fault; choose another model or another cost"
        )
    return costs


def shifted(previous: Plan | None, horizon: int) -> Float[Tensor, "{horizon} a"] | None:
    """Return the warm start that a plan leaves: without its first action, which is done.

    The last action is repeated up to the horizon. None if there is no plan yet.
    """
    if previous is None:
        return None
    left = previous.actions[1:] if len(previous.actions) > 1 else previous.actions
    return torch.cat([left, left[-1:].expand(horizon, -1)])[:horizon]
