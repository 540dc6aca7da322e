"""What a model imagines of given actions, frames included.

For people to look at, and to compare with what happened.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.loop import clip_of
from visual_foresight.interfaces import Predictor
from visual_foresight.planning.controllers.visual_mpc import newest_of
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.types import Clip, Episode, Goal, Observation, Pixel, Plan, Prediction
from visual_foresight.vision.pixel_maps import map_size_of, splat


@torch.inference_mode()
def imagine(
    predictor: Predictor,
    clip: Clip,
    actions: Float[Tensor, "n t a"],
    sources: Sequence[tuple[Pixel, ...]],
) -> Prediction:
    """Return what n sequences of actions lead to from the newest frames of a clip.

    Args:
        predictor: any.
        clip: of one scene for all sequences, or of n.
        actions: what would be done.
        sources: designated pixels in the newest frame of each scene.
    """
    frame_size = (clip.frames.shape[-2], clip.frames.shape[-1])
    maps = torch.stack(
        [splat(pixels, map_size_of(frame_size), frame_size) for pixels in sources]
    ).to(clip.frames)
    if len(maps) == 1:
        maps = repeat(maps, "1 p h w -> n p h w", n=len(actions))
    return predictor.imagine(
        predictor.observe(newest_of(clip, predictor.context)), actions, maps, True
    )


@torch.inference_mode()
def reimagine(predictor: Predictor, episode: Episode, horizon: int) -> tuple[Plan, ...]:
    """Return for each step of an episode what the model imagines of the actions that were then
    really carried out.

    The designated pixels start from their true places, so what is wrong later is the model's doing.

    Args:
        predictor: any that can be asked about the past.
        episode: with one action or more.
        horizon: how far ahead; less near the end.
    """
    start_s = time.perf_counter()
    count = len(episode.actions)
    seen = [
        Observation(frame, state)
        for frame, state in zip(episode.frames, episode.states, strict=True)
    ]
    done = list(episode.actions)
    clips = [
        clip_of(seen[: step + 1], done[:step], episode.actions.shape[1])
        for step in range(count)
    ]
    clip = Clip(
        torch.cat([one.actions for one in clips]),
        torch.cat([one.frames for one in clips]),
        torch.cat([one.states for one in clips]),
    )
    padded = np.concatenate(
        [episode.actions, np.zeros((horizon, episode.actions.shape[1]), np.float32)]
    )
    actions = torch.from_numpy(
        np.stack([padded[step : step + horizon] for step in range(count)])
    )
    places = [places_at(episode, step) for step in range(count)]
    whole = imagine(predictor, clip, actions, places)
    seconds = (time.perf_counter() - start_s) / count
    plans = []
    for step in range(count):
        length = min(horizon, count - step)
        part = Prediction(
            whole.frames[step : step + 1, :length],
            whole.pixel_maps[step : step + 1, :length],
            whole.lost[step : step + 1, :length],
            None,
        )
        plans.append(
            Plan(actions[step, :length], places[step], part, (), seconds, clip.frames[0, -1])
        )
    return tuple(plans)


def places_at(episode: Episode, step: int) -> tuple[Pixel, ...]:
    """Return where the designated points truly were."""
    return tuple(Pixel(float(row), float(col)) for row, col in episode.tracks[step])


@dataclass(frozen=True)
class ReplayController:
    """A controller that carries out a given sequence, and then rests.

    It imagines what is left of it.
    """

    predictor: Predictor
    actions: Float[Tensor, "t a"]

    @torch.inference_mode()
    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the rest of the sequence (see `interfaces.Controller`)."""
        start_s = time.perf_counter()
        actions = self.actions if previous is None else previous.actions[1:]
        actions = actions if len(actions) else torch.zeros_like(self.actions[:1])
        sources = Propagate().locate(clip, goal, previous)
        return Plan(
            actions=actions,
            sources=sources,
            prediction=imagine(self.predictor, clip, actions[None], [sources]),
            costs=(),
            seconds=time.perf_counter() - start_s,
            reference=clip.frames[0, -1] if previous is None else previous.reference,
        )
