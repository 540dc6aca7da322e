"""Visual model-predictive control: observe, imagine candidates, compare, choose.

A controller sees the clip, the goal and its own previous plan; it never holds an env.
Everything that may vary (model, limits, search, locator) is a part that is given, so another
method is another set of parts.
"""

import time
from dataclasses import dataclass, field
from typing import Any

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Cost, FramesOnly, Locator, Predictor
from visual_foresight.planning.controllers.parts import Propose, checked_goal
from visual_foresight.planning.costs.disagreement import DisagreementPenalty
from visual_foresight.planning.costs.registry import cost_for
from visual_foresight.planning.localization.track import Track
from visual_foresight.planning.planners.cem import CEM, CEMConfig
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.types import (
    Clip,
    Goal,
    ImageGoal,
    PixelGoal,
    Plan,
    Prediction,
    UserError,
    Workspace,
)
from visual_foresight.vision.pixel_maps import MAP_STRIDE, map_size_of, splat


@dataclass(frozen=True)
class VisualMPC:
    """Model-predictive control from frames: find the pixels, search with the model, give the
    best plan.

    Ebert et al., "Visual Foresight: Model-Based Deep Reinforcement Learning for Vision-Based
    Robotic Control", 2018.
    """

    predictor: Predictor
    workspace: Workspace
    config: CEMConfig = PRESETS["default"]
    locator: Locator = field(default_factory=Track)
    map_stride: int = MAP_STRIDE
    """Frame pixels per side of a cell of the pixel maps."""
    batch: int = 128
    """Candidates imagined at once: memory against speed."""
    final_weight: float = 10.0
    """Weight of the last step in the cost."""
    disagreement_weight: float = 0.0
    """What disagreement among a prediction's members costs (see `DisagreementPenalty`)."""
    decode_best: bool = True
    """Whether to imagine the frames of the chosen plan too, to show them."""
    num_runners_up: int = 0
    """How many other candidates of the last iteration to imagine with the chosen one, to show
    them."""
    propose: Propose | None = None
    """Where else candidates come from, if anywhere, for goals of pixels."""

    @torch.inference_mode()
    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the best plan found for the newest frame of the clip (see
        `interfaces.Controller`).

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
        frame_size = (clip.frames.shape[-2], clip.frames.shape[-1])
        cost = self._cost(goal, frame_size)
        sources = self.locator.locate(clip, goal, previous)
        carry = self.predictor.observe(newest_of(clip, self.predictor.context))
        maps = splat(sources, map_size_of(frame_size, self.map_stride), frame_size).to(
            clip.frames
        )
        seen = isinstance(goal, ImageGoal)  # only then is the search for what frames show

        newest = torch.zeros(0)

        def cost_of(actions: Float[Tensor, "n t a"]) -> Float[Tensor, " n"]:
            nonlocal newest
            newest = actions
            return torch.cat(
                [
                    cost(self._imagine(carry, part, maps, seen))
                    for part in actions.split(self.batch)
                ]
            )

        proposals = None
        if self.propose is not None and isinstance(goal, PixelGoal):
            proposals = self.propose(clip, sources, goal, rng)

        actions, costs = CEM(self.config, len(self.workspace.step)).plan(
            cost_of,
            moved_on(previous, self.config.horizon),
            rng,
            clip=lambda candidates: self.workspace.clip(clip.states[0, -1], candidates),
            proposals=proposals,
        )
        runners_up = _runners_up(newest, costs[-1], actions, self.num_runners_up)
        return Plan(
            actions=actions,
            sources=sources,
            prediction=self._imagine(
                carry, torch.cat([actions[None], runners_up]), maps, self.decode_best
            ),
            costs=costs,
            seconds=time.perf_counter() - start_s,
            reference=clip.frames[0, -1] if previous is None else previous.reference,
            runners_up=runners_up,
        )

    def _cost(self, goal: Goal, frame_size: tuple[int, int]) -> Cost:
        """Bind the cost to a goal that can be planned for."""
        if isinstance(goal, ImageGoal):
            if goal.frame.shape[:2] != frame_size:
                raise UserError(
                    f"The goal image has {goal.frame.shape[0]} rows and {goal.frame.shape[1]} columns, the camera's frames "
                    f"have {frame_size[0]} and {frame_size[1]}: give an image of that size."
                )
        elif isinstance(self.predictor, FramesOnly):
            raise UserError(
                "This predictor imagines frames only and cannot say where a designated pixel goes: "
                "give a goal image, or choose a predictor that moves pixels."
            )
        else:
            checked_goal(goal, frame_size)
        cost = cost_for(goal, self.final_weight)
        return (
            DisagreementPenalty(cost, self.disagreement_weight)
            if self.disagreement_weight
            else cost
        )

    def _imagine(
        self,
        carry: Any,
        actions: Float[Tensor, "n t a"],
        maps: Float[Tensor, "p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        spread = repeat(maps, "p h w -> n p h w", n=len(actions))
        return self.predictor.imagine(carry, actions.to(maps), spread, decode)


def moved_on(previous: Plan | None, horizon: int) -> Float[Tensor, "{horizon} a"] | None:
    """Return the previous best sequence without its first action, which is done, and its last one repeated to the horizon."""
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
    """Return the cheapest `count` of these candidates, cheapest first, the best plan itself not among them."""
    others = (candidates != best).flatten(1).any(1)
    return candidates[others][costs[others].argsort(stable=True)[:count]]


def newest_of(clip: Clip, context: int) -> Clip:
    """Return the last `context` frames of the clip and the actions between them."""
    num_frames = clip.frames.shape[1]
    if num_frames < context:
        raise ValueError(
            f"the predictor wants {context} frames of context, the clip has {num_frames}"
        )
    first = num_frames - context
    return Clip(clip.actions[:, first:], clip.frames[:, first:], clip.states[:, first:])
