"""A predictor of frames alone, and a tracker that watches what it imagines: so it can say where
a designated pixel goes.

The planner of pixels can then be used with models that move none, as VP2's best on average is
one (Tian et al. 2023).
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
from visual_foresight.vision.pixel_maps import expected_places, splat_places

RADIUS_PX = 2  # points are followed at offsets of up to so many pixels
WINDOW_PX = 7
# a point that does not come back so near to its start, tracked backwards, is not believed
MAX_RETURN_PX = 0.7


@dataclass(frozen=True)
class Carry:
    """What the predictor remembers, and the newest frame, seen or imagined.

    B is 1 or the number of candidates.
    """

    memory: Any
    frame: Float[Tensor, "b 3 h w"]


class TrackedFrames:
    """Moves pixel maps as Lucas-Kanade (OpenCV) follows their expected place through imagined
    frames; no weights of its own.

    A map's spread is forgotten, and a place that cannot be followed rests. Every candidate's
    frames are decoded.
    """

    def __init__(self, predictor: FramesOnly) -> None:
        self.predictor = predictor
        self.context = predictor.context

    def observe(self, clip: Clip) -> Carry:
        """Let the predictor look (see `interfaces.Predictor`)."""
        return Carry(self.predictor.observe(clip), clip.frames[:, -1])

    def imagine(
        self,
        carry: Carry,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine frames, then follow the expected place of each map through them (see `interfaces.Predictor`)."""
        imagined = self.predictor.imagine(carry.memory, actions, pixel_maps[:, :0], decode=True)
        first = widen(carry.frame, len(actions))[:, None]
        futures = tuple(
            _with_maps(each, first, pixel_maps, decode)
            for each in imagined.members or (imagined,)
        )
        joined = Prediction.average(futures) if imagined.members else futures[0]
        return replace(
            joined, carry=Carry(imagined.carry, torch.cat([first, imagined.frames], 1)[:, -1])
        )


def _with_maps(
    imagined: Prediction,
    first: Float[Tensor, "n 1 3 h w"],
    maps: Float[Tensor, "n p map_h map_w"],
    decode: bool,
) -> Prediction:
    """Return a prediction of frames with the maps that go with what they show."""
    map_size, size = (maps.shape[-2], maps.shape[-1]), (first.shape[-2], first.shape[-1])
    starts = expected_places(maps, size).cpu().numpy()
    films = to_uint8(torch.cat([first, imagined.frames], 1))
    ways = [_follow(film, start) for film, start in zip(films, starts, strict=True)]
    places = torch.from_numpy(np.stack(ways)).to(maps)
    return Prediction(
        frames=imagined.frames if decode else imagined.frames[:, :0],
        pixel_maps=splat_places(places, map_size, size),
        lost=places.new_zeros(places.shape[:3]),
        carry=imagined.carry,
    )


def with_tracker(predictor: Predictor) -> Predictor:
    """Return a predictor that moves pixel maps: this one, or one of frames alone with a tracker."""
    return TrackedFrames(predictor) if isinstance(predictor, FramesOnly) else predictor


def _follow(
    film: UInt8[np.ndarray, "t_plus_1 h w 3"], places: Float[np.ndarray, "p 2"]
) -> Float[np.ndarray, "t p 2"]:
    """Return where places (row, col) of the first frame go.

    The median motion of the points around each.
    """
    around = np.moveaxis(
        np.mgrid[-RADIUS_PX : RADIUS_PX + 1, -RADIUS_PX : RADIUS_PX + 1], 0, -1
    ).reshape(-1, 2)
    limits, way = np.array(film.shape[1:3]) - 1, []
    for before, after in zip(film[:-1], film[1:], strict=True):
        places = places.copy()
        for place in places:
            points = (place + around).clip(0, limits).astype(np.float32)
            found, sure = follow(before, after, points, WINDOW_PX, MAX_RETURN_PX)
            if sure.any():
                place += np.median((found - points)[sure], axis=0)
        way.append(places.clip(0, limits))
        places = way[-1]
    return np.stack(way) if way else np.zeros((0, *places.shape), np.float32)
