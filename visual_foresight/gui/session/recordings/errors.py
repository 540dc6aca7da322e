"""How far what a model imagines of recorded actions is from the recording, beside `still`."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.evaluation.prediction.map_metrics import position_error
from visual_foresight.types import Episode, Pixel, Prediction, to_float

Series = tuple[float, ...]
NEAR_PX = 1.5
"""A designated pixel this near to a recorded point means that point."""


@dataclass(frozen=True)
class Errors:
    """Errors in the frame that was imagined from, which are 0, and after each recorded action.

    Those of frames are root mean square differences, from 0 to 1, as goal images measure them.
    Those of places are in pixels, averaged over the designated pixels whose true places are known,
    and empty where there are none.
    """

    frame: Series
    """Of the imagined frames."""
    persistence_frame: Series
    """Of the frame that was imagined from, taken as the prediction."""
    place_px: Series = ()
    """Distance of the imagined places from the true ones."""
    persistence_px: Series = ()
    """Distance of the places at the start from the true ones later."""


def points_at(episode: Episode, pixels: Sequence[Pixel]) -> list[int | None]:
    """Return for each designated pixel which recorded point it is on, if any.

    Args:
        episode: from the frame on in which the pixels were designated.
        pixels: places in its first frame.
    """
    places = [Pixel(float(row), float(col)) for row, col in episode.tracks[0]]
    found: list[int | None] = []
    for pixel in pixels:
        gaps = [(pixel.distance(place), number) for number, place in enumerate(places)]
        gap, number = min(gaps, default=(NEAR_PX + 1, 0))
        found.append(number if gap <= NEAR_PX else None)
    return found


def errors_of(prediction: Prediction, episode: Episode, points: Sequence[int | None]) -> Errors:
    """Compare what was imagined of an episode's actions with the episode.

    Args:
        prediction: of its actions from its first frame, with frames; the first candidate counts.
        episode: what was recorded.
        points: which recorded point each of the prediction's pixels is on, if any.
    """
    frames = to_float(episode.frames)
    imagined = prediction.frames[0].detach().float().cpu()
    frame = _difference(imagined, frames[1:])
    persistence_frame = _difference(frames[:1].expand_as(frames[1:]), frames[1:])
    pixels = [number for number, point in enumerate(points) if point is not None]
    tracks = [point for point in points if point is not None]
    if not pixels:
        return Errors(_series(frame), _series(persistence_frame))
    true = torch.from_numpy(episode.tracks[:, tracks])
    maps = prediction.pixel_maps[0][:, pixels].detach().float().cpu()
    place_px = position_error(maps, true[1:], prediction.frame_size).mean(-1)
    persistence_px = torch.linalg.vector_norm(true[1:] - true[:1], dim=-1).mean(-1)
    return Errors(
        _series(frame),
        _series(persistence_frame),
        _series(place_px),
        _series(persistence_px),
    )


def _difference(
    predicted: Float[Tensor, "t c h w"], true: Float[Tensor, "t c h w"]
) -> Float[Tensor, " t"]:
    """Return the root mean square difference of each frame."""
    return (predicted - true).square().flatten(1).mean(-1).sqrt()


def _series(values: Float[Tensor, " t"]) -> Series:
    """Return errors after the error of the frame that was imagined from."""
    return (0.0, *values.tolist())
