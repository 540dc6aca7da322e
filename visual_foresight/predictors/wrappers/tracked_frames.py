"""A predictor of frames alone with a tracker, so that it can say where a designated pixel goes.

The planner for pixel goals can then be used with models that move none, as VP2's best on average
is one (Tian et al. 2023).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from visual_foresight.interfaces import FramesOnly, Predictor
from visual_foresight.predictors.layers.batching import widen
from visual_foresight.types import Clip, Prediction, to_uint8
from visual_foresight.vision.optical_flow import follow
from visual_foresight.vision.pixel_maps import (
    expected_places,
    first_maps,
)

RADIUS_PX = 2  # points are tracked at offsets of up to this many pixels around a place
WINDOW_PX = 7  # side of Lucas-Kanade's window
MAX_RETURN_PX = 0.7  # a point that, tracked backwards, misses its start by more is not used


@dataclass(frozen=True)
class Carry:
    """The predictor's carry, and what the tracker goes on from; b is 1 or the candidates' number.

    Frames and places are one tensor for all members of a prediction, or one for each.
    """

    memory: Any
    frames: tuple[Float[Tensor, "b 3 h w"], ...]
    """Newest frames."""
    places: tuple[Float[Tensor, "_b p 2"], ...]
    """(row, col) of the tracked pixels in them; one set for all scenes, or one for each."""


class TrackedFrames:
    """Moves pixel maps as Lucas-Kanade (OpenCV) tracks their expected place in imagined frames.

    It has no weights of its own, and all frames are decoded. The spread of a map is forgotten. A
    place that cannot be tracked stays where it is.
    """

    def __init__(self, predictor: FramesOnly) -> None:
        self.predictor = predictor
        self.context = predictor.context

    def observe(self, clip: Clip) -> Carry:
        """Return the predictor's carry and the newest frame, in which nothing is followed yet."""
        frame = clip.frames[:, -1]
        nothing = frame.new_zeros(1, 0, 2)
        return Carry(self.predictor.observe(clip), (frame,), (nothing,))

    def designate(self, carry: Carry, pixels: Float[Tensor, "b p 2"]) -> Carry:
        """Follow these pixels (see `interfaces.Predictor`)."""
        frame = carry.frames[0]
        size = (frame.shape[-2], frame.shape[-1])
        maps = first_maps(pixels, size).to(
            frame
        )  # a place near the border moves to a cell's centre
        return replace(carry, places=(expected_places(maps, size),))

    def imagine(
        self, carry: Carry, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine frames, then track the expected place of each map in them.

        See `interfaces.Predictor`.
        """
        imagined = self.predictor.imagine(carry.memory, actions, decode=True)
        members = imagined.members or (imagined,)
        firsts = [widen(frame, len(actions)) for frame in _of_each(carry.frames, len(members))]
        starts = [widen(each, len(actions)) for each in _of_each(carry.places, len(members))]
        tracks = [_tracks(*each) for each in zip(members, firsts, starts, strict=True)]
        futures = [
            _with_maps(member, track, decode)
            for member, track in zip(members, tracks, strict=True)
        ]
        joined = Prediction.average(futures) if imagined.members else futures[0]
        after = Carry(
            imagined.carry,
            frames=tuple(member.frames[:, -1] for member in members),
            places=tuple(track[:, -1] for track in tracks),
        )
        return replace(joined, carry=after)


def with_tracker(predictor: Predictor) -> Predictor:
    """Return a predictor that moves pixel maps: this one, or one of frames alone with a tracker."""
    return TrackedFrames(predictor) if isinstance(predictor, FramesOnly) else predictor


def _of_each(parts: tuple[Tensor, ...], count: int) -> tuple[Tensor, ...]:
    """Return what each of several members goes on from, given that or one for all."""
    return parts * count if len(parts) == 1 else parts


def _tracks(
    imagined: Prediction, first: Float[Tensor, "n 3 h w"], starts: Float[Tensor, "n p 2"]
) -> Float[Tensor, "n t p 2"]:
    """Return where places of the first frame are seen in the imagined ones."""
    films = to_uint8(torch.cat([first[:, None], imagined.frames], 1))
    pairs = zip(films, starts.cpu().numpy(), strict=True)
    return torch.from_numpy(np.stack([_track(film, start) for film, start in pairs])).to(first)


def _with_maps(
    imagined: Prediction, track: Float[Tensor, "n t p 2"], decode: bool
) -> Prediction:
    """Return a prediction of frames with the maps that its frames show."""
    return replace(
        imagined,
        frames=imagined.frames if decode else imagined.frames[:, :0],
        pixel_maps=first_maps(track, imagined.frame_size),
        lost=track.new_zeros(track.shape[:3]),
    )


def _track(
    film: UInt8[np.ndarray, "t_plus_1 h w 3"], places: Float[np.ndarray, "p 2"]
) -> Float[np.ndarray, "t p 2"]:
    """Return where places (row, col) of the first frame are in the others.

    Each moves by the median motion of the points around it.
    """
    radius = slice(-RADIUS_PX, RADIUS_PX + 1)
    offsets = np.moveaxis(np.mgrid[radius, radius], 0, -1).reshape(-1, 2)
    limits = np.array(film.shape[1:3]) - 1
    track = []
    for before, after in zip(film[:-1], film[1:], strict=True):
        places = places.copy()
        for place in places:
            points = (place + offsets).clip(0, limits).astype(np.float32)
            found, good = follow(before, after, points, WINDOW_PX, MAX_RETURN_PX)
            if good.any():
                place += np.median((found - points)[good], axis=0)
        places = places.clip(0, limits)
        track.append(places)
    return np.stack(track) if track else np.zeros((0, *places.shape), np.float32)
