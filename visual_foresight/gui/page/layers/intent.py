"""What the robot intends: the arm's planned path, its next action, and other plans beside it."""

from collections.abc import Set

import numpy as np
from jaxtyping import Float
from torch import Tensor

from visual_foresight.gui.page.layers import shapes
from visual_foresight.gui.page.layers.choices import PATHS, PLANS
from visual_foresight.gui.page.layers.colours import ARM
from visual_foresight.types import Plan
from visual_foresight.vision.arm_path import ArmView
from visual_foresight.vision.spread import ellipse

LEAST_PX = 0.2
"""Of the longer radius: a smaller ellipse is a speck."""


def intent_shapes(
    arm: ArmView,
    state: Float[np.ndarray, " s"],
    plan: Plan,
    ahead: int,
    rank: int,
    on: Set[str],
) -> list[str]:
    """Draw where a plan takes the arm; nothing where nobody can say where that is in the frame.

    Args:
        arm: the camera, and what actions do.
        state: the robot's, when the plan was made.
        plan: the one that is shown.
        ahead: actions after its frame, of which the next one is an arrow.
        rank: 0 for the plan itself, 1 for its first runner-up, ...
        on: names of the layers.
    """
    if arm.why_unknown:
        return []
    size = plan.prediction.frame_size
    actions = plan.actions if rank == 0 else plan.runners_up[rank - 1]
    path = _paths(arm, state, actions[None])[0]
    drawn = []
    if PLANS.name in on:
        for other in _paths(arm, state, plan.runners_up):
            drawn.append(shapes.thin_line(other, "other-plan", ARM))
        drawn += _spreads(_paths(arm, state, plan.elites))
    if PATHS.name in on:
        drawn.append(shapes.line(path, "arm", ARM))
        if ahead + 1 < len(path):
            drawn.append(shapes.arrow(path[ahead], path[ahead + 1], "next", ARM, size))
    return drawn


def _paths(
    arm: ArmView, state: Float[np.ndarray, " s"], actions: Tensor
) -> Float[np.ndarray, "n t_plus_1 2"]:
    if not len(actions):
        return np.zeros((0, 1, 2))
    return arm.places(state, actions.detach().float().cpu().numpy())


def _spreads(paths: Float[np.ndarray, "n t_plus_1 2"]) -> list[str]:
    """Draw, after each action, how far apart the elites are: an ellipse of one deviation."""
    if len(paths) < 2:
        return []
    found = [ellipse(places) for places in paths[:, 1:].swapaxes(0, 1)]
    return [shapes.spread(each, "elites", ARM) for each in found if each.longer > LEAST_PX]
