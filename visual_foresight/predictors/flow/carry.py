"""What `flow` remembers: what was seen, and a moment of the rollout."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from visual_foresight.predictors.layers.point_maps import Points


@dataclass(frozen=True)
class Foreground:
    """What is known of the newest frame and does not change while imagining.

    b is 1 or the number of candidates.
    """

    objects: Float[Tensor, "b 4 hf wf"]
    """What lies on the table, without the arm: colours times opacity, and opacity."""
    posture: Float[Tensor, "b k"]
    """What the robot's state does not say of the arm's shape."""


@dataclass(frozen=True)
class Carry:
    """What is remembered between imagined steps; b is 1 or the number of candidates."""

    foreground: Foreground
    state: Float[Tensor, "b s"]
    origin: Float[Tensor, "b 2 hf wf"]
    """(row, col) in the newest context frame from where the content of each pixel has come."""
    points: Points
    """Where the designated pixels are now."""
