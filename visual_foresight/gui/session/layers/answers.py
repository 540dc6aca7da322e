"""What a model says of a plan when it is asked: how things move, and what it takes for things."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from visual_foresight.interfaces import Predictor, Segments
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.types import Clip, UserError
from visual_foresight.vision.pixel_maps import expected_places, first_maps, grid

NUM_ALONG = 16
"""Points of the flow along the frame's longer side."""
HALF = 0.5
"""A pixel belongs to a thing that covers more of it than this."""


@dataclass(frozen=True)
class Flow:
    """Where a grid of points is expected before the first and after each action."""

    places: Float[np.ndarray, "t_plus_1 p 2"]
    """(row, col) in pixels."""


@dataclass(frozen=True)
class Things:
    """What the model takes for things, before the first and after each action."""

    masks: Bool[np.ndarray, "t_plus_1 k h w"]
    """The pixels of each thing, also those behind the arm."""


@dataclass(frozen=True)
class NoAnswer:
    """The model cannot say."""

    reason: str
    """In one sentence."""


Answer = Flow | Things | NoAnswer
AskedLayer = Literal["flow", "things"]


@dataclass(frozen=True)
class Wish:
    """A layer of a plan, which a page would like to draw; equal for pages that show the same."""

    layer: AskedLayer
    run: tuple[int, str, bool]
    """Number of the run, what imagined its plans, and whether that was asked for since."""
    step: int
    """Of the run, at which the plan was made."""
    rank: int = 0
    """0 for the plan itself, 1 for its first runner-up, ..."""


@torch.inference_mode()
def flow_of(predictor: Predictor, clip: Clip, actions: Float[Tensor, "t a"]) -> Flow:
    """Follow a grid of points along a plan.

    Args:
        predictor: any that moves pixels.
        clip: the newest frames when the plan was made.
        actions: of the plan.
    """
    size = clip.frame_size
    spacing = max(size) / NUM_ALONG
    cells = (round(size[0] / spacing), round(size[1] / spacing))
    points = rearrange(grid(cells, size), "rows cols two -> 1 (rows cols) two").to(clip.frames)
    carry = predictor.observe(clip.newest(predictor.context))
    imagined = predictor.imagine(predictor.designate(carry, points), actions[None])
    # A point near the border begins where its first map shows it.
    first = expected_places(first_maps(points, size), size)
    places = torch.cat([first, expected_places(imagined.pixel_maps[0], size)])
    return Flow(places.float().cpu().numpy())


@torch.inference_mode()
def things_of(predictor: Predictor, clip: Clip, actions: Float[Tensor, "t a"]) -> Things:
    """Return what a model takes for things along a plan (arguments as in `flow_of`).

    Raises:
        UserError: it knows no things.
    """
    inner = predictor.predictor if isinstance(predictor, OnDevice) else predictor
    if not isinstance(inner, Segments):
        raise UserError(
            "this model moves pixels, and knows no things: choose rigid to see some"
        )
    carry = predictor.observe(clip.newest(predictor.context))
    masks = [inner.segments(carry)]
    for action in actions:
        carry = predictor.imagine(carry, action[None, None]).carry
        masks.append(inner.segments(carry))
    return Things((torch.cat(masks) > HALF).cpu().numpy())
