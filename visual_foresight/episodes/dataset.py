"""A folder of episodes: an `EpisodeSource` that reads files, and cuts clips.

Nothing in a folder is skipped silently: an error names what cannot be used, and what to do.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from visual_foresight.episodes.episode_files import (
    episode_path,
    foreign_error,
    list_folder,
    read_packed,
)
from visual_foresight.episodes.info import read_info
from visual_foresight.episodes.laws import Breach, advice_on_misfit, breach_of
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.types import Clip, Episode, UserError, to_float

LOOKED_AT = 3
"""Other episodes that are read where one does not fit `dataset.json`."""


class Episodes:
    """The episodes of a folder.

    An episode is read when it is first asked for, and stays in memory in packed form: 0.06 MB for
    20 steps of 64x64 pixels on the pushing table. The frames of a long one stay in its file.

    Args:
        folder: where `dataset.json` and the episodes are.

    Raises:
        UserError: the folder is missing or has no episodes, or it contains a foreign file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.info = read_info(folder)
        present, foreign = list_folder(folder)
        if foreign:
            raise foreign_error(foreign[0])
        self.numbers = tuple(present)
        if not self.numbers:
            raise UserError(f"{folder} holds no episodes yet: collect some into it first")
        self._loaded: dict[int, PackedEpisode] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Episode:
        """Return the episode at this position.

        Its frames are a new array, which may be written to; its other arrays are shared.
        """
        return self.packed(index).unpack()

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position in packed form: slicing its frames takes time.

        Raises:
            UserError: its file is damaged, or does not fit `dataset.json`.
        """
        number = self.numbers[index]
        if number not in self._loaded:
            path = episode_path(self.folder, number)
            episode = read_packed(path)
            breach = breach_of(episode, self.info)
            if breach is not None:
                raise UserError(f"{path} {breach.what}: {self._advice_on(breach, number)}")
            self._loaded[number] = episode
        return self._loaded[number]

    def _advice_on(self, breach: Breach, number: int) -> str:
        """Return what to do about an episode that breaks a law.

        Where it does not fit `dataset.json`, others are looked at, too: it takes the right one to
        be corrected.
        """
        if not breach.field:
            return breach.advice
        others = [each for each in self.numbers if each != number][:LOOKED_AT]
        found = [
            breach_of(read_packed(episode_path(self.folder, each)), self.info)
            for each in others
        ]
        return advice_on_misfit(breach, found, self.info)

    def clip(
        self, indices: Sequence[tuple[int, int]] | Int[np.ndarray, "b 2"], num_actions: int
    ) -> Clip:
        """Return a batch of clips.

        Args:
            indices: (episode position, first frame) of each clip.
            num_actions: of each clip.

        Raises:
            IndexError: an episode ends before its clip does.
        """
        actions, frames, states = [], [], []
        others: dict[str, list[np.ndarray]] = {name: [] for name in self.info.other_views}
        for index, start in indices:
            episode = self.packed(int(index))
            stop = int(start) + num_actions
            if start < 0 or stop > len(episode.actions):
                raise IndexError(
                    f"actions {start} to {stop} of {len(episode.actions)} "
                    f"in the episode at position {index}"
                )
            actions.append(episode.actions[start:stop])
            # t actions join t+1 frames
            frames.append(episode.frames[start : stop + 1])
            states.append(episode.states[start : stop + 1])
            for name, parts in others.items():
                parts.append(episode.other_views[name][start : stop + 1])
        return Clip(
            actions=torch.from_numpy(np.stack(actions)),
            frames=to_float(np.stack(frames)),
            states=torch.from_numpy(np.stack(states)),
            other_views={name: to_float(np.stack(parts)) for name, parts in others.items()},
        )
