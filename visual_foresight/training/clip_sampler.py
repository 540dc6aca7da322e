"""Batches to learn from: clips in which something is pushed more often than not, and points
whose motion is known.

Everything comes from frames, actions and robot states (see `tracks`). Batch number k is a
function of (seed, k), so a training run that is resumed sees what one that was never stopped
sees.
"""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks, choose
from visual_foresight.types import Clip, UserError, to_float

logger = logging.getLogger(__name__)
CONTACT_SHARE = 0.75  # of the clips of a batch, where the data has that many
NUM_POINTS = 12


@dataclass(frozen=True)
class Batch:
    """Clips, and where p points of each are in its frames.

    A clip's first frames are the context.
    """

    clip: Clip
    places: Float[Tensor, "b t p 2"]
    """(row, col) in pixels."""
    valid: Bool[Tensor, "b t p"]


class ClipSampler:
    """Episodes prepared for training, with the points followed in each.

    Frames in memory, clips weighted.
    """

    def __init__(
        self, episodes: Sequence[PackedEpisode], tracks: Sequence[PointTracks]
    ) -> None:
        self._episodes, self._tracks = list(episodes), list(tracks)
        self._known: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}

    def _starts(
        self, num_actions: int, context: int
    ) -> tuple[Int[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
        """Return all (episode, start) and their weights."""
        if (num_actions, context) not in self._known:
            self._known[num_actions, context] = self._weighted(num_actions, context)
        return self._known[num_actions, context]

    def _weighted(
        self, num_actions: int, context: int
    ) -> tuple[Int[np.ndarray, "n 2"], Float[np.ndarray, " n"]]:
        places, contacts = [], []
        for number, tracks in enumerate(self._tracks):
            contact = tracks.contact()
            for start in range(len(contact) - num_actions + 1):
                places.append((number, start))
                contacts.append(contact[start + context - 1 : start + num_actions].any())
        touched = np.array(contacts)
        share = touched.mean()
        if share in (0.0, 1.0):
            return np.array(places), np.full(len(places), 1 / len(places))
        wanted = max(CONTACT_SHARE, share)
        return np.array(places), np.where(
            touched, wanted / touched.sum(), (1 - wanted) / (~touched).sum()
        )

    def batches(
        self, size: int, num_actions: int, context: int, seed: int, numbers: Sequence[int]
    ) -> Iterator[Batch]:
        """Yield the batches of these numbers, each prepared in a thread while the one before is
        learnt from.

        Args:
            size: Clips in each.
            num_actions: Of a clip, those that join its context frames included.
            context: Frames from the newest of which it is imagined.
            seed: Of the run.
            numbers: Which batches.
        """
        places, weights = self._starts(num_actions, context)

        def prepare(number: int) -> Batch:
            rng = np.random.default_rng([seed, number])
            chosen = places[rng.choice(len(places), size, p=weights)]
            return self._batch(
                [(int(episode), int(start)) for episode, start in chosen],
                num_actions,
                context,
                rng,
            )

        with ThreadPoolExecutor(1) as pool:
            ahead = None
            for number in numbers:
                following = pool.submit(prepare, number)
                if ahead is not None:
                    yield ahead.result()
                ahead = following
            if ahead is not None:
                yield ahead.result()

    def _batch(
        self,
        chosen: list[tuple[int, int]],
        num_actions: int,
        context: int,
        rng: np.random.Generator,
    ) -> Batch:
        frames, actions, states, places, valid = [], [], [], [], []
        for number, start in chosen:
            episode, tracks = self._episodes[number], self._tracks[number]
            window = slice(start, start + num_actions + 1)
            frames.append(episode.frames[window])
            actions.append(episode.actions[start : start + num_actions])
            states.append(episode.states[window])
            # Points start in the newest context frame, from where the predictor imagines.
            points = choose(
                tracks, start + context - 1, num_actions - context + 1, NUM_POINTS, rng
            )
            places.append(_taken(tracks.places[window], points))
            valid.append(_taken(tracks.valid[window], points))
        clip = Clip(_tensor(actions), to_float(_stack(frames)), _tensor(states))
        return Batch(clip, _tensor(places), torch.from_numpy(np.stack(valid)))


def require_length(episodes: Sequence[PackedEpisode], num_actions: int, purpose: str) -> None:
    """Say how many of the episodes for a purpose are too short for clips of so many actions.

    `UserError` if all are.
    """
    longest = max((len(episode.actions) for episode in episodes), default=0)
    if longest < num_actions:
        raise UserError(
            f"clips of {num_actions} actions are needed, but the longest episode {purpose} has {longest}: "
            "collect longer episodes or train for a shorter horizon"
        )
    if short := sum(len(episode.actions) < num_actions for episode in episodes):
        count = len(episodes)
        logger.warning(
            "%d of %d episodes %s are left out: less than %d actions",
            short,
            count,
            purpose,
            num_actions,
        )


def _taken(values: np.ndarray, points: Int[np.ndarray, " p"]) -> np.ndarray:
    """Return what is known of points, at t times; of -1, zeros."""
    nothing = np.zeros_like(values, shape=(len(values), 1, *values.shape[2:]))
    return np.concatenate([values, nothing], 1)[:, points]


def _stack(frames: list[UInt8[np.ndarray, "t h w 3"]]) -> UInt8[np.ndarray, "b t h w 3"]:
    return np.stack(frames)


def _tensor(arrays: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays).astype(np.float32))
