"""What several controllers are made of."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import Clip, Goal, Pixel, PixelGoal, Prediction, UserError

Propose = Callable[
    [Clip, tuple[Pixel, ...], PixelGoal, torch.Generator], Float[Tensor, "m t a"]
]
"""From what is seen, where the designated pixels are and the goal: sequences worth a place in
the first population."""


def nothing_imagined(actions: Float[Tensor, "1 t a"], clip: Clip) -> Prediction:
    """Return the imagination of a controller that has none."""
    num_steps, (channels, height, width) = actions.shape[1], clip.frames.shape[-3:]
    return Prediction(
        frames=torch.zeros(1, 0, channels, height, width),
        pixel_maps=torch.zeros(1, num_steps, 0, height, width),
        lost=torch.zeros(1, num_steps, 0),
        carry=None,
    )


def checked_goal(goal: Goal, frame_size: tuple[int, int]) -> PixelGoal:
    """Return the goal, which must be one of pixels inside the frame.

    Raise `UserError` otherwise.
    """
    if not isinstance(goal, PixelGoal):
        raise UserError(
            f"This controller needs a PixelGoal, but got {type(goal).__name__}: "
            f"give designated pixels and goal pixels instead."
        )
    for name, pixels in (("designated", goal.sources), ("goal", goal.targets)):
        for pixel in pixels:
            if not pixel.inside(*frame_size):
                raise UserError(
                    f"The {name} pixel (row {pixel.row:g}, col {pixel.col:g}) is outside the frame of {frame_size[0]} "
                    f"rows and {frame_size[1]} columns: choose one inside it."
                )
    return goal
