"""A folder of episodes: read, split for training, and cut into clips.

Nothing in a folder is skipped silently: an error names what cannot be used, and what to do.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from visual_foresight.episodes.episode_files import episode_path, list_folder, read_episode
from visual_foresight.episodes.info import INFO_NAME, misfit, read_info
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.types import Clip, Episode, UserError, to_float


class Episodes:
    """The episodes of a folder.

    An episode is read when it is first asked for, and stays in memory in packed form: 0.06 MB for
    20 steps of 64x64 pixels on the pushing table.

    Args:
        folder: where `dataset.json` and the episodes are.
        numbers: which episodes, by the numbers in their names; all of them when absent.
        views: names of the views that are read, of which the first gives the frames; all of them,
            as they are stored, when there are none. Seen from another view than the main one,
            episodes have no tracks: those are places in frames of the main view.

    Raises:
        UserError: the folder is missing or has no episodes, or it contains a foreign file; or
            there is no such view.
    """

    def __init__(
        self, folder: Path, numbers: Sequence[int] | None = None, views: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._stored = read_info(folder)
        self.views = tuple(views) or tuple(self._stored.views)
        self.info = self._stored.with_views(self.views)
        """What all episodes have in common, as they are read."""
        present, foreign = list_folder(folder)
        if foreign:
            raise UserError(
                f"{foreign[0]} does not belong in a folder of episodes: move it elsewhere"
            )
        self.numbers = tuple(present if numbers is None else numbers)
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
            episode = read_episode(path)
            problem = misfit(episode, self._stored)
            if problem is not None:
                raise UserError(
                    f"{path} {problem}, unlike {INFO_NAME}: delete it and collect again"
                )
            self._loaded[number] = PackedEpisode.pack(self._seen(episode))
        return self._loaded[number]

    def _seen(self, episode: Episode) -> Episode:
        """Return an episode as it is stored, in the views that are read."""
        stored_main = next(iter(self._stored.views))
        frames = {stored_main: episode.frames, **episode.other_views}
        main, *others = self.views
        seen = replace(
            episode,
            frames=frames[main],
            other_views={name: frames[name] for name in others},
        )
        if main == stored_main:
            return seen
        notes = {name: note for name, note in episode.meta.items() if name != "track_kinds"}
        return replace(seen, tracks=episode.tracks[:, :0], meta=notes)

    def split(self, fraction: float, seed: int) -> tuple["Episodes", "Episodes"]:
        """Split into training episodes and held-out episodes.

        The lot of each episode depends on the seed and its number alone, so that more episodes
        hardly change the split of those before.

        Args:
            fraction: share of episodes that is held out, in (0, 1); each part gets one at least.
            seed: decides which.

        Raises:
            UserError: there are fewer than two episodes, or the fraction is out of range.
        """
        if not 0 < fraction < 1 or len(self) < 2:
            raise UserError(
                "a split needs 2 episodes or more and a fraction between 0 and 1, "
                f"got {len(self)} and {fraction}: collect more, or choose another fraction"
            )
        lots = [np.random.default_rng([seed, number]).random() for number in self.numbers]
        num_held_out = min(max(round(fraction * len(self)), 1), len(self) - 1)
        lowest = np.argsort(lots, kind="stable")[:num_held_out]
        held_out = {self.numbers[index] for index in lowest}
        training = [number for number in self.numbers if number not in held_out]
        return (
            Episodes(self.folder, training, self.views),
            Episodes(self.folder, sorted(held_out), self.views),
        )

    def fingerprint(self) -> str:
        """Return a hash of all actions and states, which tells these episodes from others.

        All episodes are read.
        """
        digest = hashlib.sha256()
        for index in range(len(self)):
            episode = self.packed(index)
            digest.update(episode.actions.tobytes() + episode.states.tobytes())
        return digest.hexdigest()

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
