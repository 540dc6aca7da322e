"""Visual model-predictive control: locate the pixels, imagine candidates, choose the cheapest.

The controller sees the clip, the goal and its own previous plan; it never holds an env.
Everything that may vary (model, limits, search, locator, proposals) is a part that is given, so
another method is another set of parts.
"""

import time
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.env_info import Limits
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal, require_pixels
from visual_foresight.interfaces import Cost, FramesOnly, Locator, Predictor, Proposer
from visual_foresight.planning.costs.disagreement import DisagreementPenalty
from visual_foresight.planning.costs.registry import cost_for
from visual_foresight.planning.localization.track import Track
from visual_foresight.planning.planners.cem import CEM, CEMConfig
from visual_foresight.planning.planners.presets import PRESETS
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
    workspace: Limits
    config: CEMConfig = PRESETS["default"]
    locator: Locator = field(default_factory=Track)
    batch: int = 128
    """Candidates imagined at once: memory against speed."""
    final_weight: float = 10.0
    """Weight of the last step in the cost."""
    disagreement_weight: float = 0.0
    """What disagreement among a prediction's members costs (see `DisagreementPenalty`)."""
    decode_best: bool = True
    """Whether to imagine the frames of the chosen plan too, to show them."""
    num_runners_up: int = 0
    """How many other candidates of the last iteration to imagine beside the chosen plan, to show
    them."""
    propose: Proposer | None = None
    """Where other candidates come from, if anywhere, for goals of pixels."""

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
                for such a goal.
        """
        start_s = time.perf_counter()
        cost = self._cost(goal, clip.frame_size)
        sources = self.locator.locate(clip, goal, previous)
        carry = self.predictor.observe(clip.newest(self.predictor.context))
        carry = self.predictor.designate(carry, places_of(sources)[None].to(clip.frames))
        needs_frames = isinstance(goal, ImageGoal)
        last_candidates = torch.zeros(0)

        def cost_of(candidates: Float[Tensor, "n t a"]) -> Float[Tensor, " n"]:
            nonlocal last_candidates
            last_candidates = candidates
            batches = candidates.to(clip.frames).split(self.batch)
            return torch.cat(
                [cost(self.predictor.imagine(carry, batch, needs_frames)) for batch in batches]
            )

        proposals = None
        if self.propose is not None and isinstance(goal, PixelGoal):
            proposals = self.propose(clip, sources, goal, rng)

        best, costs = CEM(self.config, self.workspace.action_size).plan(
            cost_of,
            shifted(previous, self.config.horizon),
            rng,
            clip=lambda candidates: self.workspace.clip(clip.states[0, -1], candidates),
            proposals=proposals,
        )
        runners_up = _runners_up(last_candidates, costs[-1], best, self.num_runners_up)
        shown = torch.cat([best[None], runners_up])
        return Plan(
            actions=best,
            sources=sources,
            prediction=self.predictor.imagine(carry, shown.to(clip.frames), self.decode_best),
            costs=costs,
            seconds=time.perf_counter() - start_s,
            reference=clip.frames[0, -1] if previous is None else previous.reference,
            runners_up=runners_up,
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the locator finds the designated pixels (see `interfaces.Controller`)."""
        return self.locator.locate(clip, goal, previous)

    def _cost(self, goal: Goal, frame_size: tuple[int, int]) -> Cost:
        """Bind the cost to the goal, which must be one that can be planned for."""
        if isinstance(goal, ImageGoal):
            goal.check(frame_size)
        elif isinstance(self.predictor, FramesOnly):
            raise UserError(
                "This predictor imagines frames only and cannot say where a designated pixel goes: "
                "give a goal image, or choose a predictor that moves pixels."
            )
        else:
            require_pixels(goal, frame_size)
        cost = cost_for(goal, self.final_weight)
        if self.disagreement_weight:
            return DisagreementPenalty(cost, self.disagreement_weight)
        return cost


def shifted(previous: Plan | None, horizon: int) -> Float[Tensor, "{horizon} a"] | None:
    """Return the warm start that a plan leaves: without its first action, which is done.

    The last action is repeated up to the horizon. None if there is no plan yet.
    """
    if previous is None:
        return None
    left = previous.actions[1:] if len(previous.actions) > 1 else previous.actions
    return torch.cat([left, left[-1:].expand(horizon, -1)])[:horizon]


def _runners_up(
    candidates: Float[Tensor, "n t a"],
    costs: Float[Tensor, " n"],
    best: Float[Tensor, "t a"],
    count: int,
) -> Float[Tensor, "m t a"]:
    """Return the `count` cheapest candidates except for the best plan itself, cheapest first."""
    others = (candidates != best).flatten(1).any(1)
    return candidates[others][costs[others].argsort(stable=True)[:count]]
