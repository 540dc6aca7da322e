"""The one door to recorded episodes: every format is asked whether a path is its own."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import visual_foresight
from visual_foresight.episodes.formats.registry import FORMATS, dataset_formats
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo
from visual_foresight.episodes.laws import breach_of
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.source import EpisodeSource
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
SAMPLE = Path("data/sample")
"""The episodes that are shipped, as the README calls them."""
OUR_FOLDER = "folder"
"""The format of our own folders, which keeps the laws itself and knows who breaks them."""


def open_episodes(path: Path) -> EpisodeSource:
    """Return the episodes at a path, read by the first format that calls it its own.

    Raises:
        UserError: nothing is there, no format calls it its own, or what is there is damaged.
    """
    formats = dataset_formats()
    path = _shipped(path)
    if path.exists():
        for name, each in formats.items():
            source = each.open(path)
            if source is not None:
                return _complete(name, source)
    if path == SAMPLE:
        raise UserError(
            f"{path} is not here: run this in the folder of the repository, or name a folder of "
            "your own, which `collect` fills"
        )
    others = [name for name in formats if name != OUR_FOLDER]
    also = f", nor anything that {' or '.join(others)} can read" if others else ""
    raise UserError(
        f"{path} is no folder of episodes (it has no {INFO_NAME}){also}: collect some into it first"
    )


def _shipped(path: Path) -> Path:
    """Return the sample that an installed package brings, where `data/sample` is not here."""
    package = Path(visual_foresight.__file__).parent
    shipped = package / "shipped" / SAMPLE
    if path == SAMPLE and not path.exists() and shipped.is_dir():
        logger.info("%s is not here: the one that is shipped is read, %s", path, shipped)
        return shipped
    return path


def _complete(name: str, opened: Any) -> EpisodeSource:
    """Return what a format opened, if it is all that a source promises."""
    promised = [each for each in vars(EpisodeSource) if not each.startswith("_")]
    missing = [each for each in promised if each not in dir(opened)]
    if missing:
        raise UserError(
            f"the format {name!r} opens episodes without {missing[0]!r}, which every "
            f"`episodes.source.EpisodeSource` has: add it, or uninstall the package that brings "
            f"the {FORMATS.kind}"
        )
    source: EpisodeSource = opened
    if not source.numbers:
        raise UserError(
            f"there are no episodes there for the format {name!r}: collect some first"
        )
    return source if name == OUR_FOLDER else Lawful(source)


@dataclass(frozen=True)
class Lawful:
    """Episodes of another format, each held to the laws of episodes when it is read."""

    source: EpisodeSource

    @property
    def info(self) -> DatasetInfo:
        """Return that of the source."""
        return self.source.info

    @property
    def numbers(self) -> Sequence[int]:
        """Return those of the source."""
        return self.source.numbers

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position.

        Raises:
            UserError: it is damaged, or breaks a law.
        """
        episode = self.source.packed(index)
        breach = breach_of(episode, self.source.info)
        if breach is not None:
            number = self.source.numbers[index]
            raise UserError(f"episode {number} {breach.what}: {breach.advice}")
        return episode
