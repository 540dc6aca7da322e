"""When was the model wrong?

Its imagination of a recorded run beside what happened, step by step.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.loop import clip_of
from visual_foresight.control.replay import imagine, places_at
from visual_foresight.evaluation.prediction.frame_metrics import psnr
from visual_foresight.evaluation.prediction.map_metrics import position_error
from visual_foresight.interfaces import Predictor
from visual_foresight.types import Episode, Observation, Plan, Prediction, to_float

Series = tuple[float, ...]


@dataclass(frozen=True)
class Check:
    """One value per executed action.

    Pixel errors average over designated pixels, and are empty where there are none.
    """

    ahead_px: Series
    """Of the place imagined one step before."""
    ahead_db: Series
    """PSNR of the frame imagined one step before."""
    start_px: Series
    """Of the place imagined from the first frame on, without looking again."""
    start_db: Series
    """PSNR likewise."""
    persistence_db: Series
    """PSNR of the frame before, taken for the next one: what `still` would have."""


def check(predictor: Predictor, episode: Episode, plans: Sequence[Plan]) -> Check:
    """Compare.

    Args:
        predictor: whose imagination from the first frame on is judged.
        episode: what happened.
        plans: of what was then really done, one per action, from `reimagine`.
    """
    count = len(episode.actions)
    first = [Observation(episode.frames[0], episode.states[0])]
    clip = clip_of(first, [], episode.actions.shape[1])
    actions = torch.from_numpy(episode.actions)[None]
    free = imagine(predictor, clip, actions, [places_at(episode, 0)])
    ahead = [_at(plan.prediction, 0, episode, step + 1) for step, plan in enumerate(plans)]
    start = [_at(free, step, episode, step + 1) for step in range(count)]
    frames = to_float(episode.frames)
    has_pixels = episode.tracks.shape[1] > 0
    return Check(
        ahead_px=tuple(px for px, _ in ahead) if has_pixels else (),
        ahead_db=tuple(db for _, db in ahead),
        start_px=tuple(px for px, _ in start) if has_pixels else (),
        start_db=tuple(db for _, db in start),
        persistence_db=tuple(_listed(psnr(frames[:-1], frames[1:]))),
    )


def _at(
    prediction: Prediction, imagined_step: int, episode: Episode, step: int
) -> tuple[float, float]:
    """Return the pixel error and the PSNR of one imagined moment against one recorded step."""
    true = torch.from_numpy(episode.tracks[step])
    frame_size = (episode.frames.shape[1], episode.frames.shape[2])
    errors = position_error(prediction.pixel_maps[0, imagined_step].float(), true, frame_size)
    quality = psnr(prediction.frames[0, imagined_step].float(), to_float(episode.frames[step]))
    return float(np.mean(_listed(errors))) if len(errors) else 0.0, float(quality)


def _listed(values: Float[Tensor, " n"]) -> list[float]:
    return [float(value) for value in values]
