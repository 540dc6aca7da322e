"""The fan: from one frame, what different actions are imagined to lead to, as in the lecture's figure."""

import math
from dataclasses import dataclass

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.replay import imagine
from visual_foresight.interfaces import Predictor
from visual_foresight.types import Clip, Pixel, Prediction, Workspace

HORIZON = 10
WAYS = ("+x", "+x +y", "+y", "-x +y", "-x", "-x -y", "-y", "+x -y", "rest")
"""Names of the directions, in the robot's own axes, turning by eighths."""


@dataclass(frozen=True)
class ActionFan:
    """n ways to act from here, and what each is imagined to lead to, frames included."""

    names: tuple[str, ...]
    actions: Float[Tensor, "n t a"]
    prediction: Prediction


def spread_actions(
    predictor: Predictor, clip: Clip, workspace: Workspace, sources: tuple[Pixel, ...]
) -> ActionFan:
    """Imagine eight directions held for `HORIZON` steps, and resting.

    Args:
        predictor: any.
        clip: the newest frames.
        workspace: what of the actions would be carried out.
        sources: designated pixels in the newest frame to follow, if any.
    """
    directions = torch.zeros(len(WAYS), len(workspace.step))
    for eighth in range(8):
        angle = math.pi / 4 * eighth
        directions[eighth, 0], directions[eighth, 1] = math.cos(angle), math.sin(angle)
    actions = workspace.clip(clip.states[0, -1], repeat(directions, "n a -> n t a", t=HORIZON))
    return ActionFan(WAYS, actions, imagine(predictor, clip, actions, [sources]))
