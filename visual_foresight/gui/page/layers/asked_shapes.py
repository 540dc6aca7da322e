"""What the model was asked for: flow as arrows, and outlines of what it takes for things."""

import numpy as np

from visual_foresight.gui.page.layers import shapes
from visual_foresight.gui.page.layers.colours import FLOW, THING
from visual_foresight.gui.session.layers.answers import Answer, Flow, NoAnswer, Things
from visual_foresight.vision.regions import outline

LEAST_PX = 1.0
"""A point of the flow that moves less is taken to rest."""


def answer_shapes(answer: Answer, ahead: int, frame_size: tuple[int, int]) -> list[str]:
    """Draw an answer of the model.

    Args:
        answer: to a wish of this page.
        ahead: actions after the plan's frame; at that frame itself the flow shows where things are
            expected to go until the end of the plan.
        frame_size: (height, width) in pixels.
    """
    match answer:
        case Flow():
            return _arrows(answer, ahead, frame_size)
        case Things():
            return _outlines(answer, ahead, frame_size)
        case NoAnswer():
            return []


def _arrows(flow: Flow, ahead: int, frame_size: tuple[int, int]) -> list[str]:
    starts, ends = flow.places[0], flow.places[ahead or -1]
    moves = np.linalg.norm(ends - starts, axis=-1) >= LEAST_PX
    return [
        shapes.arrow(start, end, "flow", FLOW, frame_size)
        for start, end in zip(starts[moves], ends[moves], strict=True)
    ]


def _outlines(things: Things, ahead: int, frame_size: tuple[int, int]) -> list[str]:
    masks = things.masks[ahead]
    return [
        shapes.region(outline(mask), frame_size, frame_size, "thing", THING) for mask in masks
    ]
