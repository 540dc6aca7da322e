"""How wrong the model is about a recorded run: its imagination beside what happened."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from visual_foresight.control.loop import clip_of
from visual_foresight.control.replay import imagine, places_at
from visual_foresight.evaluation.prediction.frame_metrics import psnr
from visual_foresight.evaluation.prediction.map_metrics import position_error
from visual_foresight.interfaces import Predictor
from visual_foresight.types import Episode, Plan, Prediction, to_float

Series = tuple[float, ...]


@dataclass(frozen=True)
class ModelCheck:
    """Errors of a model on one run: in each series one value per executed action.

    Pixel errors are in pixels, averaged over the designated pixels, and empty where there are
    none. PSNR is in dB.
    """

    one_step_px: Series
    """Pixel error of the place imagined one step ahead."""
    one_step_db: Series
    """PSNR of the frame imagined one step ahead."""
    free_running_px: Series
    """Pixel error of the place imagined from the first frame alone."""
    free_running_db: Series
    """PSNR of the frame imagined from the first frame alone."""
    persistence_db: Series
    """PSNR of the frame before, taken as the prediction: the persistence baseline."""


def check_model(predictor: Predictor, episode: Episode, plans: Iterable[Plan]) -> ModelCheck:
    """Compare what a model imagines of an episode with what happened.

    Args:
        predictor: the model.
        episode: what happened.
        plans: what the model imagined at each step of the actions then carried out, one per
            action, from `reimagine`.
    """
    first = [episode.observation(0)]
    clip = clip_of(first, [], episode.actions.shape[1])
    actions = torch.from_numpy(episode.actions)[None]
    rollout = imagine(predictor, clip, actions, [places_at(episode, 0)])
    one_step = [
        _errors(plan.prediction, 0, episode, step + 1) for step, plan in enumerate(plans)
    ]
    free_running = [
        _errors(rollout, step, episode, step + 1) for step in range(len(episode.actions))
    ]
    frames = to_float(episode.frames)
    persistence_db = psnr(frames[:-1], frames[1:])
    has_pixels = episode.tracks.shape[1] > 0
    return ModelCheck(
        one_step_px=tuple(px for px, _ in one_step) if has_pixels else (),
        one_step_db=tuple(db for _, db in one_step),
        free_running_px=tuple(px for px, _ in free_running) if has_pixels else (),
        free_running_db=tuple(db for _, db in free_running),
        persistence_db=tuple(float(value) for value in persistence_db),
    )


def _errors(
    prediction: Prediction, imagined_step: int, episode: Episode, step: int
) -> tuple[float, float]:
    """Return pixel error and PSNR of one imagined step against one recorded step."""
    places = torch.from_numpy(episode.tracks[step])
    frame_size = (episode.frames.shape[1], episode.frames.shape[2])
    errors_px = position_error(
        prediction.pixel_maps[0, imagined_step].float(), places, frame_size
    )
    mean_px = float(np.mean([float(value) for value in errors_px])) if len(errors_px) else 0.0
    frame = prediction.frames[0, imagined_step].float()
    return mean_px, float(psnr(frame, to_float(episode.frames[step])))
