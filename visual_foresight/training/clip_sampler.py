"""Batches to learn from: clips, most of them with contact, and points that were followed in them.

Everything comes from frames, actions and robot states (see `teachers`). Batch number k is a
function of the seed and k, so that a run that is resumed learns from the same batches as one that
was never stopped.
"""

import logging
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.training.teachers.point_tracks import PointTracks, choose_points
from visual_foresight.types import Clip, UserError, to_float

logger = logging.getLogger(__name__)
CONTACT_SHARE = 0.75  # of the clips in a batch have contact, or more if the data has more
NUM_POINTS = 12  # per clip


@dataclass(frozen=True)
class Batch:
    """Clips, whose first frames are the context, and points that were followed in them."""

    clip: Clip
    places: Float[Tensor, "b t p 2"]
    """(row, col) of each point in each frame, in pixels, where valid."""
    valid: Bool[Tensor, "b t p"]
    """Where a point is known."""


@dataclass(frozen=True)
class _Starts:
    """Where clips can begin."""

    places: Int[np.ndarray, "n 2"]
    """(number of the episode, first frame)."""
    probabilities: Float[np.ndarray, " n"]


class ClipSampler:
    """Draws batches of clips from episodes.

    Args:
        episodes: where clips are taken from.
        tracks: the points that were followed in each of them.
    """

    def __init__(
        self, episodes: Sequence[PackedEpisode], tracks: Sequence[PointTracks]
    ) -> None:
        self._episodes = list(episodes)
        self._tracks = list(tracks)
        self._contacts = [each.contact() for each in tracks]
        self._starts: dict[tuple[int, int], _Starts] = {}

    def batches(
        self, size: int, num_actions: int, context: int, seed: int, numbers: Sequence[int]
    ) -> Generator[Batch, None, None]:
        """Yield the batches of these numbers; a thread prepares each while the last is in use.

        Args:
            size: number of clips in a batch.
            num_actions: of each clip, including those between context frames.
            context: number of frames before the first that is imagined.
            seed: of the run.
            numbers: which batches.
        """
        if (num_actions, context) not in self._starts:
            self._starts[num_actions, context] = self._find_starts(num_actions, context)
        starts = self._starts[num_actions, context]

        def prepare(number: int) -> Batch:
            rng = np.random.default_rng([seed, number])
            chosen = rng.choice(len(starts.places), size, p=starts.probabilities)
            return self._batch(starts.places[chosen], num_actions, context, rng)

        with ThreadPoolExecutor(1) as pool:
            pending = None
            for number in numbers:
                following = pool.submit(prepare, number)
                if pending is not None:
                    yield pending.result()
                pending = following
            if pending is not None:
                yield pending.result()

    def _find_starts(self, num_actions: int, context: int) -> _Starts:
        """Return where clips can begin, those with contact more likely than in the data."""
        places, has_contact = [], []
        for number, contact in enumerate(self._contacts):
            for start in range(len(contact) - num_actions + 1):
                places.append((number, start))
                # From the newest context frame on, where imagining begins.
                imagined = contact[start + context - 1 : start + num_actions]
                has_contact.append(imagined.any())
        touched = np.array(has_contact)
        share = touched.mean()
        if share in (0.0, 1.0):
            return _Starts(np.array(places), np.full(len(places), 1 / len(places)))
        wanted = max(CONTACT_SHARE, share)
        with_contact = wanted / touched.sum()
        without = (1 - wanted) / (~touched).sum()
        return _Starts(np.array(places), np.where(touched, with_contact, without))

    def _batch(
        self,
        starts: Int[np.ndarray, "b 2"],
        num_actions: int,
        context: int,
        rng: np.random.Generator,
    ) -> Batch:
        frames, actions, states, places, valid = [], [], [], [], []
        others: dict[str, list[np.ndarray]] = {
            name: [] for name in self._episodes[0].other_views
        }
        for number, start in starts.tolist():
            episode, tracks = self._episodes[number], self._tracks[number]
            window = slice(start, start + num_actions + 1)
            frames.append(episode.frames[window])
            actions.append(episode.actions[start : start + num_actions])
            states.append(episode.states[window])
            for name, parts in others.items():
                parts.append(episode.other_views[name][window])
            # Points must be valid in the newest context frame, from which is imagined.
            newest = start + context - 1
            num_imagined = num_actions - context + 1
            points = choose_points(tracks, newest, num_imagined, NUM_POINTS, rng)
            places.append(_of_points(tracks.places[window], points))
            known = _of_points(tracks.valid[window], points)
            valid.append(_while_the_same(known, newest - start))
        clip = Clip(
            actions=torch.from_numpy(np.stack(actions)),
            frames=to_float(np.stack(frames)),
            states=torch.from_numpy(np.stack(states)),
            other_views={name: to_float(np.stack(parts)) for name, parts in others.items()},
        )
        return Batch(
            clip, torch.from_numpy(np.stack(places)), torch.from_numpy(np.stack(valid))
        )


def require_length(episodes: Sequence[PackedEpisode], num_actions: int, purpose: str) -> None:
    """Log a warning if some episodes are too short for clips of so many actions.

    Args:
        episodes: all episodes for a purpose.
        num_actions: of a clip.
        purpose: what the episodes are for: "to learn from", "held out".

    Raises:
        UserError: all of them are too short.
    """
    longest = max((len(episode.actions) for episode in episodes), default=0)
    if longest < num_actions:
        raise UserError(
            f"clips of {num_actions} actions are needed, but the longest episode {purpose} has "
            f"{longest}: collect longer episodes or train for a shorter horizon"
        )
    num_short = sum(len(episode.actions) < num_actions for episode in episodes)
    if num_short:
        logger.warning(
            "%d of %d episodes %s are left out: less than %d actions",
            num_short,
            len(episodes),
            purpose,
            num_actions,
        )


def _while_the_same(valid: Bool[np.ndarray, "t p"], newest: int) -> Bool[np.ndarray, "t p"]:
    """Leave out what is known after a point was lost, or before it was found: it is another's."""
    later = np.logical_and.accumulate(valid[newest:])
    earlier = np.logical_and.accumulate(valid[newest::-1])[::-1]
    return np.concatenate([earlier[:-1], later])


def _of_points(values: np.ndarray, points: Int[np.ndarray, " p"]) -> np.ndarray:
    """Return the values (t, m, ...) of points, (t, p, ...); zeros for a point of number -1."""
    zeros = np.zeros_like(values, shape=(len(values), 1, *values.shape[2:]))
    return np.concatenate([values, zeros], 1)[:, points]
