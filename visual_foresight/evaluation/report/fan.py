"""The action fan: one start, and what a predictor imagines of it under different action
sequences, side by side.

Finn and Levine 2017 ("Deep Visual Foresight for Planning Robot Motion") and lectures after it
show a model this way: that the columns differ, and in the right direction, is what a planner
lives on.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.evaluation.prediction.segments import Segment, batch_of
from visual_foresight.evaluation.report.pictures import (
    NO_MAPS,
    SCALE,
    data_animation,
    data_png,
    point_to_show,
)
from visual_foresight.interfaces import FramesOnly, Predictor
from visual_foresight.types import Pixel, to_uint8
from visual_foresight.vision.drawing import overlay
from visual_foresight.vision.homography import apply_homography

NUM_ROWS = 4
ARROWS = "→↘↓↙←↖↑↗"
"""Directions in the frame, clockwise from the right."""


@dataclass(frozen=True)
class FanPictures:
    """Columns of pictures: each the same start and another action sequence."""

    heads: tuple[str, ...]
    moments: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    """A picture per moment."""
    animation: str
    with_map: bool


@torch.inference_mode()
def action_fan(predictor: Predictor, segment: Segment, info: DatasetInfo) -> FanPictures:
    """Imagine a clip's start under constant actions in four directions, under none, and under
    those recorded.

    Args:
        predictor: decodes frames.
        window: where to start.
        info: what an action means, and how the camera stands.
    """
    heads, actions = _candidates(segment, info)
    batch = batch_of([segment])
    point = None if isinstance(predictor, FramesOnly) else point_to_show(segment)
    maps = batch.maps[:, :0] if point is None else batch.maps[:, point : point + 1]
    count = len(actions)
    future = predictor.imagine(
        predictor.observe(batch.context),
        actions,
        maps.expand(count, -1, -1, -1).contiguous(),
        decode=True,
    )
    start = segment.frames[-1]
    place = () if point is None else (Pixel(*segment.places[0, point].tolist()),)
    first = overlay(start, NO_MAPS, place, scale=SCALE)
    films = []
    for number in range(count):
        heat = future.pixel_maps[number].float().numpy()
        frames = to_uint8(future.frames[number])
        films.append(
            [first, *(overlay(frame, heat[t], scale=SCALE) for t, frame in enumerate(frames))]
        )
    horizon = actions.shape[1]
    shown = [round(horizon * row / NUM_ROWS) for row in range(NUM_ROWS + 1)]
    return FanPictures(
        heads=heads,
        moments=tuple(f"+{t}" if t else "now" for t in shown),
        columns=tuple(tuple(data_png(film[t]) for t in shown) for film in films),
        animation=data_animation(films),
        with_map=point is not None,
    )


def _candidates(
    segment: Segment, info: DatasetInfo
) -> tuple[tuple[str, ...], Float[Tensor, "n t a"]]:
    """Return a head for each action sequence, and the sequences, clipped to the workspace as a planner's are."""
    horizon, size = segment.actions.shape
    constant = [np.zeros(size, np.float32)]
    for axis in range(min(size, 2)):
        for sign in (1.0, -1.0):
            constant.append(sign * np.eye(size, dtype=np.float32)[axis])
    sequences = repeat(torch.from_numpy(np.stack(constant)), "n a -> n t a", t=horizon)
    candidates = torch.cat([torch.from_numpy(segment.actions)[None], sequences])
    state = torch.from_numpy(segment.states[-1])
    heads = [
        "recorded",
        "stay",
        *(_head(action, segment.states[-1], info) for action in constant[1:]),
    ]
    return tuple(heads), info.workspace.clip(state, candidates)


def _head(
    action: Float[np.ndarray, " a"], state: Float[np.ndarray, " s"], info: DatasetInfo
) -> str:
    """Name an action by its numbers and, where the camera's calibration says it, by its direction in the frame."""
    numbers = f"({', '.join(f'{value:+.0f}' if value else '0' for value in action)})"
    if len(action) < 2 or len(state) < 2:
        return numbers
    to_frame = np.linalg.inv(np.array(info.homography))
    reach = np.array(info.workspace.step[:2]) * action[:2]
    here, there = apply_homography(np.stack([state[:2], state[:2] + reach]), to_frame)
    down, right = there - here
    return f"{ARROWS[round(np.arctan2(down, right) / (np.pi / 4)) % 8]} {numbers}"
