"""Stretches of recorded episodes to be judged: what a predictor is given, what then happened,
and where points really went.

The points are true ones (`Episode.tracks`), so this is for judges; a predictor gets frames,
states and actions only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8
from torch import Tensor

from visual_foresight.types import Clip, Episode, to_float
from visual_foresight.vision.pixel_maps import map_size_of, splat_places

FIRST_NOW, EVERY = 1, 3
"""Imagining starts from frames 1, 4, 7 and so on of an episode, whatever the predictor's
context."""
MOVES_PX = 3.0
"""An object's point counts when it gets farther than this from its start within the horizon."""
Objects = Literal["moving", "occluded"]
OBJECTS: dict[Objects, str] = {
    "moving": f"points that get farther than {MOVES_PX:g} px from their start",
    "occluded": "points that are hidden for a while, and seen again at the end",
}
"""Which points on objects are judged."""
SAME_LOOK = 40.0
"""Mean difference of colour (0 to 255) to when a point was picked, from which on it is taken to
be hidden."""
KINDS = ("object", "arm", "background")
MOST = (8, 4, 4)
"""Points of each kind that are judged in one window, the first ones."""
MADE_UP = -1


@dataclass(frozen=True)
class Segment:
    """A stretch of an episode.

    What is given, what then happens, and the points that are followed in it.
    """

    episode: int
    now: int
    """Number of the newest frame that is given."""
    frames: UInt8[np.ndarray, "context h w 3"]
    states: Float32[np.ndarray, "context s"]
    done: Float32[np.ndarray, "context_minus_1 a"]
    actions: Float32[np.ndarray, "t a"]
    future: UInt8[np.ndarray, "t h w 3"]
    places: Float32[np.ndarray, "t_plus_1 p 2"]
    """(row, col) now and after each action; p = sum(MOST), made up where there are fewer points."""
    kinds: Int[np.ndarray, " p"]
    """Which of `KINDS` each point is, or `MADE_UP`."""


@dataclass(frozen=True)
class SegmentBatch:
    """Several windows as tensors, and where their points are at first, as pixel maps."""

    context: Clip
    actions: Float[Tensor, "b t a"]
    future: Float[Tensor, "b t c h w"]
    places: Float[Tensor, "b t_plus_1 p 2"]
    kinds: Int[Tensor, "b p"]
    maps: Float[Tensor, "b p map_h map_w"]

    @property
    def newest(self) -> Float[Tensor, "b c h w"]:
        """Return the newest frame that is given."""
        return self.context.frames[:, -1]


def segments_of(
    episodes: Sequence[Episode], context: int, horizon: int, objects: Objects = "moving"
) -> Iterator[Segment]:
    """Yield all stretches of all episodes that are judged.

    Args:
        episodes: with true tracks, or without.
        context: frames that are given; before an episode's first frame, the world is taken to
            have stood still.
        horizon: actions that follow.
        objects: which points on objects are judged.
    """
    for number, episode in enumerate(episodes):
        for now in range(FIRST_NOW, len(episode.actions) - horizon + 1, EVERY):
            ahead = slice(now, now + horizon + 1)
            chosen = _points(episode, ahead, objects)
            given = np.arange(now - context + 1, now + 1)
            done = np.where((given[:-1] >= 0)[:, None], episode.actions[given[:-1].clip(0)], 0)
            places = np.zeros((horizon + 1, len(chosen), 2), np.float32)
            places[:, chosen >= 0] = episode.tracks[ahead][:, chosen[chosen >= 0]]
            yield Segment(
                episode=number,
                now=now,
                frames=episode.frames[given.clip(0)],
                states=episode.states[given.clip(0)],
                done=done.astype(np.float32),
                actions=episode.actions[now : now + horizon],
                future=episode.frames[now + 1 : now + 1 + horizon],
                places=places,
                kinds=np.where(chosen >= 0, np.repeat(np.arange(len(KINDS)), MOST), MADE_UP),
            )


def batch_of(segments: Sequence[Segment]) -> SegmentBatch:
    """Return windows of one horizon and context as tensors."""
    context = Clip(
        actions=torch.from_numpy(np.stack([segment.done for segment in segments])),
        frames=to_float(np.stack([segment.frames for segment in segments])),
        states=torch.from_numpy(np.stack([segment.states for segment in segments])),
    )
    height, width = context.frames.shape[-2:]
    places = torch.from_numpy(np.stack([segment.places for segment in segments]))
    return SegmentBatch(
        context=context,
        actions=torch.from_numpy(np.stack([segment.actions for segment in segments])),
        future=to_float(np.stack([segment.future for segment in segments])),
        places=places,
        kinds=torch.from_numpy(np.stack([segment.kinds for segment in segments])),
        maps=splat_places(places[:, 0], map_size_of((height, width)), (height, width)),
    )


def _points(episode: Episode, ahead: slice, objects: Objects) -> Int[np.ndarray, " p"]:
    """Return the numbers of the points that are judged, `MOST` places for each kind in turn, `MADE_UP` where there is none."""
    kinds = episode.meta.get("track_kinds", ["unknown"] * episode.tracks.shape[1])
    fit = _stays(episode, ahead) & _seen(episode, ahead.start)
    slots = []
    for kind, most in zip(KINDS, MOST, strict=True):
        wanted = fit & np.array([each == kind for each in kinds], bool)
        if kind == "object":
            wanted &= (
                _moves(episode, ahead) if objects == "moving" else _comes_back(episode, ahead)
            )
        found = np.flatnonzero(wanted)[:most]
        slots.append(np.pad(found, (0, most - len(found)), constant_values=MADE_UP))
    return np.concatenate(slots)


def _stays(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points stay in the frame."""
    places, size = episode.tracks[ahead], np.array(episode.frames.shape[1:3])
    return np.asarray(((places >= -0.5) & (places < size - 0.5)).all((0, 2)))


def _moves(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points get away from where they are."""
    places = episode.tracks[ahead]
    away_px = np.linalg.norm(places - places[:1], axis=-1)
    return np.asarray(away_px.max(0, initial=0) > MOVES_PX)


def _comes_back(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points cannot be seen for a while, but can be at the end."""
    seen = np.stack([_seen(episode, frame) for frame in range(ahead.start, ahead.stop)])
    return seen[-1] & ~seen.all(0)


def _seen(episode: Episode, now: int) -> Bool[np.ndarray, " p"]:
    """Tell which points can be seen.

    They look as they did in the first frame, where they were picked.
    """

    def colours(frame: int) -> Float[np.ndarray, "p 3"]:
        places = np.round(episode.tracks[frame]).astype(int)
        row, col = (
            places[:, axis].clip(1, episode.frames.shape[1 + axis] - 2) for axis in (0, 1)
        )
        around = [
            episode.frames[frame, row + down, col + right]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        ]
        return np.mean(around, axis=0)

    return np.abs(colours(now) - colours(0)).mean(-1) < SAME_LOOK
