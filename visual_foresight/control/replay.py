"""What a model imagines of given actions, frames included: to look at, or to compare with truth."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.loop import clip_of
from visual_foresight.interfaces import Predictor
from visual_foresight.planning.localization.after_plan import locate_after
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.types import Clip, Episode, Goal, Pixel, Plan, Prediction
from visual_foresight.vision.pixel_maps import places_of


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
        actions: the sequences.
        sources: designated pixels in the newest frame of each scene.
    """
    places = torch.stack([places_of(pixels) for pixels in sources]).to(clip.frames)
    carry = predictor.observe(clip.newest(predictor.context))
    carry = predictor.designate(carry, places)
    return predictor.imagine(carry, actions, decode=True)


def reimagine(
    predictor: Predictor, episode: Episode, horizon: int, batch: int = 16
) -> Iterator[Plan]:
    """Yield for each step of an episode what the model imagines of the actions that followed.

    The designated pixels start from their true places, so later errors are the model's alone.

    Args:
        predictor: any that can be asked about the past.
        episode: with one action or more.
        horizon: how many actions ahead; fewer near the end.
        batch: steps imagined at once: memory against speed.
    """
    num_steps = len(episode.actions)
    for first in range(0, num_steps, batch):
        steps = range(first, min(first + batch, num_steps))
        yield from _reimagined(predictor, episode, horizon, steps)


def _reimagined(
    predictor: Predictor, episode: Episode, horizon: int, steps: range
) -> Iterator[Plan]:
    """Yield the same for some of the steps."""
    start_s = time.perf_counter()
    places = [places_at(episode, step) for step in steps]
    actions = _actions_ahead(episode, horizon, steps)
    whole = imagine(predictor, _clips_of(episode, steps), actions, places)
    seconds = (time.perf_counter() - start_s) / len(steps)
    for row, step in enumerate(steps):
        length = min(horizon, len(episode.actions) - step)
        own = slice(row, row + 1)
        prediction = Prediction(
            frames=whole.frames[own, :length],
            pixel_maps=whole.pixel_maps[own, :length],
            lost=whole.lost[own, :length],
            carry=None,
            frame_size=whole.frame_size,
            signals={name: signal[own, :length] for name, signal in whole.signals.items()},
        )
        yield Plan(
            actions=actions[row, :length],
            sources=places[row],
            prediction=prediction,
            costs=(),
            seconds=seconds,
        )


def _clips_of(episode: Episode, steps: range) -> Clip:
    """Return what a controller saw at each of some steps, as one batch."""
    action_size = episode.actions.shape[1]
    seen = [episode.observation(step) for step in range(steps.stop)]
    done = list(episode.actions)
    clips = [clip_of(seen[: step + 1], done[:step], action_size) for step in steps]
    return Clip(
        actions=torch.cat([clip.actions for clip in clips]),
        frames=torch.cat([clip.frames for clip in clips]),
        states=torch.cat([clip.states for clip in clips]),
        other_views={
            name: torch.cat([clip.other_views[name] for clip in clips])
            for name in episode.other_views
        },
    )


def _actions_ahead(
    episode: Episode, horizon: int, steps: range
) -> Float[Tensor, "n {horizon} a"]:
    """Return the actions that followed each of some steps; beyond the end, actions of 0."""
    action_size = episode.actions.shape[1]
    padded = np.concatenate([episode.actions, np.zeros((horizon, action_size), np.float32)])
    return torch.from_numpy(np.stack([padded[step : step + horizon] for step in steps]))


def places_at(episode: Episode, step: int) -> tuple[Pixel, ...]:
    """Return where the designated points truly were in a frame."""
    return tuple(Pixel(float(row), float(col)) for row, col in episode.tracks[step])


@dataclass(frozen=True)
class ReplayController:
    """A controller that carries out a given sequence, and then rests."""

    predictor: Predictor
    """Imagines what is left of the sequence."""
    actions: Float[Tensor, "t a"]

    @torch.inference_mode()
    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        """Return the rest of the sequence (see `interfaces.Controller`)."""
        start_s = time.perf_counter()
        actions = self.actions if previous is None else previous.actions[1:]
        actions = actions if len(actions) else torch.zeros_like(self.actions[:1])
        memory, sources = locate_after(previous, Propagate(), clip, goal)
        return Plan(
            actions=actions,
            sources=sources,
            prediction=imagine(self.predictor, clip, actions[None], [sources]),
            costs=(),
            seconds=time.perf_counter() - start_s,
            memory=memory,
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return where the model expects the designated pixels to be by now."""
        _, places = locate_after(previous, Propagate(), clip, goal)
        return places
