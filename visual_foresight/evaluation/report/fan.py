"""The action fan: what a predictor imagines from one start under different action sequences.

Finn and Levine 2017 ("Deep Visual Foresight for Planning Robot Motion") show a model this way:
a planner needs the columns to differ, and in the right direction.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import repeat
from jaxtyping import Float, Float32
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
from visual_foresight.types import Pixel, Workspace, to_uint8
from visual_foresight.vision.drawing import overlay
from visual_foresight.vision.homography import apply_homography

NUM_ROWS = 4
"""Rows of pictures after the first, which shows the start."""
ARROWS = "→↘↓↙←↖↑↗"
"""Directions in the frame, clockwise from the right."""


@dataclass(frozen=True)
class FanPictures:
    """Columns of pictures: the same start, and another action sequence in each."""

    heads: tuple[str, ...]
    """What each column's actions are."""
    times: tuple[str, ...]
    """When each row is: "now", "+3", ..."""
    columns: tuple[tuple[str, ...], ...]
    """A picture per row."""
    animation: str
    with_map: bool
    """Whether the pictures show a designated pixel and its map."""


@torch.inference_mode()
def action_fan(predictor: Predictor, segment: Segment, info: DatasetInfo) -> FanPictures:
    """Imagine a segment under constant actions, under none, and under those recorded.

    Constant actions lead to four directions, up to both signs of the first two axes.

    Args:
        predictor: decodes frames.
        segment: where to start.
        info: what an action means, and how the camera stands.
    """
    actions = _candidates(segment, info)
    horizon = actions.shape[1]
    batch = batch_of([segment])
    point = None if isinstance(predictor, FramesOnly) else point_to_show(segment)
    carry = predictor.observe(batch.context)
    if point is not None:
        carry = predictor.designate(carry, batch.places[:, 0, point : point + 1])
    future = predictor.imagine(carry, actions, decode=True)
    place = () if point is None else (Pixel(*segment.places[0, point].tolist()),)
    start = overlay(segment.context_frames[-1], NO_MAPS, place, scale=SCALE)
    films = []
    for number in range(len(actions)):
        film = [start]
        frames = to_uint8(future.frames[number])
        heat = future.pixel_maps[number].float().numpy()
        for frame, maps_now in zip(frames, heat, strict=True):
            film.append(overlay(frame, maps_now, scale=SCALE))
        films.append(film)
    shown = [round(horizon * row / NUM_ROWS) for row in range(NUM_ROWS + 1)]
    return FanPictures(
        heads=_heads(segment, info),
        times=tuple(f"+{t}" if t else "now" for t in shown),
        columns=tuple(tuple(data_png(film[t]) for t in shown) for film in films),
        animation=data_animation(films),
        with_map=point is not None,
    )


def _constant_actions(size: int) -> Float32[np.ndarray, "n {size}"]:
    """Return the actions of the columns after the recorded one: none, then full ones."""
    actions = [np.zeros(size, np.float32)]
    for axis in range(min(size, 2)):
        full = np.eye(size, dtype=np.float32)[axis]
        actions += [full, -full]
    return np.stack(actions)


def _candidates(segment: Segment, info: DatasetInfo) -> Float[Tensor, "n t a"]:
    """Return the action sequence of each column, clipped to the workspace as a planner's are."""
    horizon, size = segment.actions.shape
    constant = torch.from_numpy(_constant_actions(size))
    sequences = repeat(constant, "n a -> n t a", t=horizon)
    candidates = torch.cat([torch.from_numpy(segment.actions)[None], sequences])
    return info.workspace.clip(torch.from_numpy(segment.context_states[-1]), candidates)


def _heads(segment: Segment, info: DatasetInfo) -> tuple[str, ...]:
    """Return the head of each column."""
    state = segment.context_states[-1]
    moving = _constant_actions(segment.actions.shape[1])[1:]
    return ("recorded", "stay", *(_head(action, state, info) for action in moving))


def _head(
    action: Float[np.ndarray, " a"], state: Float[np.ndarray, " s"], info: DatasetInfo
) -> str:
    """Name an action by its numbers and, where it has one, its direction in the frame."""
    numbers = f"({', '.join(f'{value:+.0f}' if value else '0' for value in action)})"
    if len(action) < 2 or len(state) < 2:
        return numbers
    if info.homography is None or not isinstance(info.workspace, Workspace):
        return numbers
    to_frame = np.linalg.inv(np.array(info.homography))
    reach = np.array(info.workspace.step[:2]) * action[:2]
    here, there = apply_homography(np.stack([state[:2], state[:2] + reach]), to_frame)
    down, right = there - here
    return f"{ARROWS[round(np.arctan2(down, right) / (np.pi / 4)) % 8]} {numbers}"
