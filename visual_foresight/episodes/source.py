"""What training and evaluation need of recorded episodes, wherever and however they are kept.

A folder of ours is one such source (`dataset.Episodes`); a format may read others (see
`formats.registry.DatasetFormat`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from visual_foresight.episodes.info import OPTIONAL, DatasetInfo
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.types import UserError


@runtime_checkable
class EpisodeSource(Protocol):
    """Recorded episodes of one robot and its cameras."""

    @property
    def info(self) -> DatasetInfo:
        """Return what all episodes have in common."""
        ...

    @property
    def numbers(self) -> Sequence[int]:
        """Return a number for each episode, in order, which it keeps when others come or go."""
        ...

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position (`PackedEpisode.pack` makes one of an `Episode`).

        Raises:
            UserError: it is damaged, or does not fit `info`.
        """
        ...


@dataclass(frozen=True)
class Selection:
    """Some episodes of a source, which are a source again."""

    source: EpisodeSource
    positions: tuple[int, ...]
    """In the source."""

    @property
    def info(self) -> DatasetInfo:
        """Return that of the source."""
        return self.source.info

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the numbers that the episodes have in the source."""
        return tuple(self.source.numbers[position] for position in self.positions)

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position of the selection."""
        return self.source.packed(self.positions[index])


@dataclass(frozen=True)
class Kept:
    """Episodes of a source that have been read, and need not be read again."""

    source: EpisodeSource
    episodes: Sequence[PackedEpisode]
    """All of them, in the order of the source."""

    @property
    def info(self) -> DatasetInfo:
        """Return that of the source."""
        return self.source.info

    @property
    def numbers(self) -> Sequence[int]:
        """Return those of the source."""
        return self.source.numbers

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position."""
        return self.episodes[index]


@dataclass(frozen=True)
class SeenFrom:
    """Episodes of a source in some of its views, the first of them as the main one.

    Tracks are places in frames of the source's main view: seen from another, there are none.
    """

    source: EpisodeSource
    info: DatasetInfo
    """That of the source, in these views."""

    @property
    def numbers(self) -> Sequence[int]:
        """Return those of the source."""
        return self.source.numbers

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position, in these views."""
        episode = self.source.packed(index)
        stored_main = next(iter(self.source.info.views))
        frames = {stored_main: episode.frames, **episode.other_views}
        main, *others = self.info.views
        seen = replace(
            episode,
            frames=frames[main],
            other_views={name: frames[name] for name in others},
        )
        if main == stored_main:
            return seen
        notes = {name: note for name, note in episode.meta.items() if name != "track_kinds"}
        return replace(seen, tracks=episode.tracks[:, :0], meta=notes)


def in_views(source: EpisodeSource, views: Sequence[str]) -> EpisodeSource:
    """Return episodes in some of their views.

    Args:
        source: of the episodes.
        views: names, the main view first; all of them, as they are stored, when there are none.

    Raises:
        UserError: there is no such view, or it is named twice.
    """
    if not views or tuple(views) == tuple(source.info.views):
        return source
    return SeenFrom(source, source.info.with_views(views))


def split(source: EpisodeSource, fraction: float, seed: int) -> tuple[Selection, Selection]:
    """Split into training episodes and held-out episodes.

    The lot of each episode depends on the seed and its number alone, so that more episodes
    hardly change the split of those before.

    Args:
        source: two episodes or more.
        fraction: share of episodes that is held out, in (0, 1); each part gets one at least.
        seed: decides which.

    Raises:
        UserError: there are fewer than two episodes, or the fraction is out of range.
    """
    num_episodes = len(source.numbers)
    if not 0 < fraction < 1 or num_episodes < 2:
        raise UserError(
            "a split needs 2 episodes or more and a fraction between 0 and 1, "
            f"got {num_episodes} and {fraction}: collect more, or choose another fraction"
        )
    lots = [np.random.default_rng([seed, number]).random() for number in source.numbers]
    num_held_out = min(max(round(fraction * num_episodes), 1), num_episodes - 1)
    held_out = set(np.argsort(lots, kind="stable")[:num_held_out].tolist())
    training = tuple(each for each in range(num_episodes) if each not in held_out)
    return Selection(source, training), Selection(source, tuple(sorted(held_out)))


def fingerprint(source: EpisodeSource) -> str:
    """Return a hash of all actions and states, which tells these episodes from others.

    Corrected frames do not change it: see `identity`. All episodes are read.
    """
    digest = hashlib.sha256()
    for index in range(len(source.numbers)):
        episode = source.packed(index)
        digest.update(episode.actions.tobytes() + episode.states.tobytes())
    return digest.hexdigest()


def identity(source: EpisodeSource) -> str:
    """Return a hash of all that was recorded and of what the episodes have in common.

    The version of the package that recorded them does not count. All episodes are read.
    """
    common = asdict(source.info)
    del common["package_version"]
    for name in OPTIONAL:
        if not common[name]:  # there are runs from before there were several views
            del common[name]
    digest = hashlib.sha256(json.dumps(common, sort_keys=True).encode())
    for index in range(len(source.numbers)):
        digest.update(source.packed(index).digest())
    return digest.hexdigest()
