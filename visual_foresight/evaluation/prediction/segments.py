"""Segments of recorded episodes: what a predictor is given, what then happened, and true points.

Where the points are is the simulator's truth (`Episode.tracks`), for evaluation only; a predictor
gets frames, states and actions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8
from torch import Tensor

from visual_foresight.types import Clip, Episode, to_float

FIRST_START = 1
"""Frame of an episode from which the first segment is imagined, whatever the context."""
START_STRIDE = 3
"""Frames from the start of one segment to the start of the next."""
MOVES_PX = 3.0
"""A point on an object moves when it gets farther than this from its start within the horizon."""
Objects = Literal["moving", "occluded"]
OBJECTS: dict[Objects, str] = {
    "moving": f"points that get farther than {MOVES_PX:g} px from their start",
    "occluded": "points that are hidden for a while, and seen again at the end",
}
"""Which points on objects count."""
MAX_COLOUR_DIFFERENCE = 40.0
"""A point is taken to be hidden when its surroundings differ by this, the mean over channels of 0
to 255, from those in the first frame."""
KINDS = ("object", "arm", "background")
MAX_POINTS = (8, 4, 4)
"""Points of each of `KINDS` that count in one segment, the first ones of the episode."""
PADDING = -1
"""Kind, and number, of a point that fills up a segment with fewer points."""


@dataclass(frozen=True)
class Segment:
    """A part of an episode: what is given, what then happens, and points with true places."""

    episode: int
    start: int
    """Number of the newest context frame; imagining starts there."""
    context_frames: UInt8[np.ndarray, "context h w 3"]
    context_states: Float32[np.ndarray, "context s"]
    context_actions: Float32[np.ndarray, "context_minus_1 a"]
    actions: Float32[np.ndarray, "t a"]
    future: UInt8[np.ndarray, "t h w 3"]
    """The frames that the actions led to."""
    places: Float32[np.ndarray, "t_plus_1 p 2"]
    """True (row, col) at the start and after each action; p = sum(MAX_POINTS), with padding."""
    kinds: Int[np.ndarray, " p"]
    """Which of `KINDS` each point is, or `PADDING`."""
    context_other_views: Mapping[str, UInt8[np.ndarray, "context _h _w 3"]]
    """Context frames of the further views, by name."""


@dataclass(frozen=True)
class SegmentBatch:
    """Several segments as tensors."""

    context: Clip
    actions: Float[Tensor, "b t a"]
    future: Float[Tensor, "b t c h w"]
    places: Float[Tensor, "b t_plus_1 p 2"]
    kinds: Int[Tensor, "b p"]

    @property
    def newest(self) -> Float[Tensor, "b c h w"]:
        """Return the newest context frame."""
        return self.context.frames[:, -1]


def segments_of(
    episodes: Sequence[Episode], context: int, horizon: int, objects: Objects = "moving"
) -> Iterator[Segment]:
    """Yield all segments of all episodes.

    Args:
        episodes: with true tracks, or without.
        context: frames that are given; before an episode's first frame, the world is taken to
            have stood still.
        horizon: actions that follow.
        objects: which points on objects count.
    """
    for number, episode in enumerate(episodes):
        last_start = len(episode.actions) - horizon
        for start in range(FIRST_START, last_start + 1, START_STRIDE):
            ahead = slice(start, start + horizon + 1)
            chosen = _choose_points(episode, ahead, objects)
            real = chosen >= 0
            places = np.zeros((horizon + 1, len(chosen), 2), np.float32)
            places[:, real] = episode.tracks[ahead][:, chosen[real]]
            given = np.arange(start - context + 1, start + 1)
            context_actions = np.where(
                (given[:-1] >= 0)[:, None], episode.actions[given[:-1].clip(0)], 0
            )
            yield Segment(
                episode=number,
                start=start,
                context_frames=episode.frames[given.clip(0)],
                context_states=episode.states[given.clip(0)],
                context_actions=context_actions.astype(np.float32),
                actions=episode.actions[start : start + horizon],
                future=episode.frames[start + 1 : start + 1 + horizon],
                places=places,
                kinds=np.where(real, np.repeat(np.arange(len(KINDS)), MAX_POINTS), PADDING),
                context_other_views={
                    name: frames[given.clip(0)] for name, frames in episode.other_views.items()
                },
            )


def batch_of(segments: Sequence[Segment]) -> SegmentBatch:
    """Return segments of one horizon and context as tensors."""
    context = Clip(
        actions=_stacked([segment.context_actions for segment in segments]),
        frames=to_float(np.stack([segment.context_frames for segment in segments])),
        states=_stacked([segment.context_states for segment in segments]),
        other_views={
            name: to_float(np.stack([each.context_other_views[name] for each in segments]))
            for name in segments[0].context_other_views
        },
    )
    return SegmentBatch(
        context=context,
        actions=_stacked([segment.actions for segment in segments]),
        future=to_float(np.stack([segment.future for segment in segments])),
        places=_stacked([segment.places for segment in segments]),
        kinds=_stacked([segment.kinds for segment in segments]),
    )


def _stacked(arrays: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))


def _choose_points(episode: Episode, ahead: slice, objects: Objects) -> Int[np.ndarray, " p"]:
    """Return the numbers of the points that count in a segment.

    They stay in the frame and are seen at its start. Each kind has its `MAX_POINTS` slots, those
    left over hold `PADDING`.
    """
    kinds = episode.meta.get("track_kinds", ["unknown"] * episode.tracks.shape[1])
    usable = _stay_in_frame(episode, ahead) & _seen(episode, ahead.start)
    slots = []
    for kind, num_slots in zip(KINDS, MAX_POINTS, strict=True):
        wanted = usable & np.array([each == kind for each in kinds], bool)
        if kind == "object" and objects == "moving":
            wanted &= _move(episode, ahead)
        if kind == "object" and objects == "occluded":
            wanted &= _reappear(episode, ahead)
        found = np.flatnonzero(wanted)[:num_slots]
        padding = (0, num_slots - len(found))
        slots.append(np.pad(found, padding, constant_values=PADDING))
    return np.concatenate(slots)


def _stay_in_frame(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points are in the frame all the time."""
    places = episode.tracks[ahead]
    size = np.array(episode.frames.shape[1:3])
    return np.asarray(((places >= -0.5) & (places < size - 0.5)).all((0, 2)))


def _move(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points get farther than `MOVES_PX` from their start."""
    places = episode.tracks[ahead]
    away_px = np.linalg.norm(places - places[:1], axis=-1)
    return np.asarray(away_px.max(0, initial=0) > MOVES_PX)


def _reappear(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points are hidden for a while, and seen at the end."""
    seen = np.stack([_seen(episode, frame) for frame in range(ahead.start, ahead.stop)])
    return seen[-1] & ~seen.all(0)


def _seen(episode: Episode, frame: int) -> Bool[np.ndarray, " p"]:
    """Tell which points are seen in a frame: they look as in the first, where all were seen."""
    difference = np.abs(_colours(episode, frame) - _colours(episode, 0)).mean(-1)
    return difference < MAX_COLOUR_DIFFERENCE


def _colours(episode: Episode, frame: int) -> Float[np.ndarray, "p 3"]:
    """Return the mean colour (0 to 255) of the 3 x 3 pixels around each point in a frame."""
    height, width = episode.frames.shape[1:3]
    places = np.round(episode.tracks[frame]).astype(int)
    row = places[:, 0].clip(1, height - 2)
    col = places[:, 1].clip(1, width - 2)
    around = [
        episode.frames[frame, row + down, col + right]
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    ]
    return np.mean(around, axis=0)
