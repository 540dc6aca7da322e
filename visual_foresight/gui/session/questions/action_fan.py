"""The action fan: what different actions from one frame are imagined to lead to."""

import math
import time
from dataclasses import dataclass

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.replay import imagine
from visual_foresight.env_info import Limits
from visual_foresight.interfaces import Predictor
from visual_foresight.types import Clip, Pixel, Plan, Prediction

HORIZON = 10
"""Steps for which each action is repeated."""
DIRECTIONS = ("+x", "+x +y", "+y", "-x +y", "-x", "-x -y", "-y", "+x -y")
"""Names of eight directions in the robot's own axes, an eighth of a turn apart."""
REST = "rest"
"""Name of the sequence that does not move."""


@dataclass(frozen=True)
class ActionFan:
    """n sequences of actions, and what each is imagined to lead to, frames included."""

    names: tuple[str, ...]
    actions: Float[Tensor, "n t a"]
    prediction: Prediction
    sources: tuple[Pixel, ...] = ()
    """The designated pixels that it follows."""
    seconds: float = 0.0
    """How long it took to imagine all of them."""

    def plan(self, number: int) -> Plan:
        """Return one of the sequences as a plan that nothing has chosen."""
        own = slice(number, number + 1)
        whole = self.prediction
        prediction = Prediction(
            frames=whole.frames[own],
            pixel_maps=whole.pixel_maps[own],
            lost=whole.lost[own],
            carry=None,
            frame_size=whole.frame_size,
        )
        return Plan(self.actions[number], self.sources, prediction, (), self.seconds)


def imagine_fan(
    predictor: Predictor, clip: Clip, limits: Limits, sources: tuple[Pixel, ...]
) -> ActionFan:
    """Imagine moving in eight directions, and resting, for `HORIZON` steps each.

    Args:
        predictor: any.
        clip: the newest frames of one scene.
        limits: clips the actions to what the robot would carry out.
        sources: designated pixels in the newest frame, if any.
    """
    start_s = time.perf_counter()
    names = (*DIRECTIONS, REST)
    directions = torch.zeros(len(names), limits.action_size)
    for eighth in range(len(DIRECTIONS)):
        angle = math.pi / 4 * eighth
        directions[eighth, 0] = math.cos(angle)
        directions[eighth, 1] = math.sin(angle)
    actions = limits.clip(clip.states[0, -1], repeat(directions, "n a -> n t a", t=HORIZON))
    prediction = imagine(predictor, clip, actions, [sources])
    seconds = time.perf_counter() - start_s
    return ActionFan(names, actions, prediction, sources, seconds)
