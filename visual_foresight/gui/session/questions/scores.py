"""How well what was imagined ends, and how right it was: one value per step ahead."""

from dataclasses import dataclass

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor

from visual_foresight.evaluation.prediction.map_metrics import position_error
from visual_foresight.types import (
    Episode,
    Goal,
    Observation,
    Pixel,
    Plan,
    Prediction,
    to_float,
    to_uint8,
)
from visual_foresight.vision.pixel_maps import grid

Series = tuple[float, ...]


@dataclass(frozen=True)
class Scores:
    """Of what is imagined from one frame: in each series one value per step ahead."""

    distance: Series
    """Expected distance to the goal, in pixels and averaged over the designated pixels; for other
    goals by their own measure. Empty where nobody can say."""
    pixel_px: Series = ()
    """How far the designated pixels were from where they were expected, likewise; as long as what
    has happened since."""
    image: Series = ()
    """Root mean square difference of the frames, from 0 to 1; as long as what has happened."""


def score(plan: Plan, goal: Goal, happened: Episode | None = None, step: int = 0) -> Scores:
    """Return the scores of what is imagined of a plan.

    Args:
        plan: what is imagined of it counts, not that of its runners-up.
        goal: what was to be reached.
        happened: what came of its actions; None if they were not carried out.
        step: of the episode, in whose frame the plan begins.
    """
    prediction = plan.prediction
    distance = _distances(prediction, goal)
    if happened is None:
        return Scores(distance)
    frames = to_float(happened.frames[step + 1 :])
    places = torch.from_numpy(happened.tracks[step + 1 :])
    num = min(len(frames), len(plan.actions))
    return Scores(
        distance=distance,
        pixel_px=_pixel_errors(prediction, places[:num]),
        image=_image_errors(prediction, frames[:num]),
    )


def _distances(prediction: Prediction, goal: Goal) -> Series:
    if not goal.targets:
        return _measured(prediction, goal)
    maps = prediction.pixel_maps[0].float().cpu()
    if maps.shape[1] != len(goal.targets):
        return ()
    map_size = (maps.shape[-2], maps.shape[-1])
    away = torch.stack(
        [_away(map_size, prediction.frame_size, target) for target in goal.targets]
    )
    expected = einsum(maps, away.to(maps), "t p h w, p h w -> t p")
    return tuple(expected.mean(-1).tolist())


def _away(
    map_size: tuple[int, int], frame_size: tuple[int, int], target: Pixel
) -> Float[Tensor, "map_h map_w"]:
    """Return the distance of the centre of every cell to a pixel, in frame pixels."""
    place = torch.tensor([target.row, target.col])
    return torch.linalg.vector_norm(grid(map_size, frame_size) - place, dim=-1)


def _measured(prediction: Prediction, goal: Goal) -> Series:
    """Return how far a goal is that has no designated pixels, by its own measure."""
    found = [
        goal.measure(Observation.single(frame, torch.zeros(0).numpy()), ())
        for frame in to_uint8(prediction.frames[0])
    ]
    known = [distance for distance in found if distance is not None]
    return tuple(known) if len(known) == len(found) else ()


def _pixel_errors(prediction: Prediction, places: Float[Tensor, "t p 2"]) -> Series:
    num, num_pixels, _ = places.shape
    maps = prediction.pixel_maps[0, :num].float().cpu()
    if not num_pixels or maps.shape[1] != num_pixels:
        return ()
    return tuple(position_error(maps, places, prediction.frame_size).mean(-1).tolist())


def _image_errors(prediction: Prediction, frames: Float[Tensor, "t c h w"]) -> Series:
    imagined = prediction.frames[0, : len(frames)].float().cpu()
    if len(imagined) != len(frames):
        return ()  # none were decoded
    return tuple((imagined - frames).square().mean((1, 2, 3)).sqrt().tolist())
