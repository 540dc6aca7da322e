"""A folder of episodes: opened for learning, split, sampled as clips, and checked.

Nothing in a folder is skipped in silence: what cannot be used is named, with what to do about it.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from visual_foresight.episodes.formats.hdf5 import episode_path, read_episode
from visual_foresight.episodes.info import INFO_NAME, DatasetInfo, read_info
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.types import Clip, Episode, UserError, to_float

EPISODE_NAME = re.compile(r"episode_(\d{6})\.hdf5")
ALLOWED_NAMES = (INFO_NAME, "README.md")


class Episodes:
    """A folder of episodes, opened for reading.

    Each is read when first asked for and stays in memory, packed (0.06 MB for 20 steps of 64x64
    on the pushing table).

    Args:
        folder: where `dataset.json` and the episodes are.
        numbers: which episodes, by the number in their names; all of them when absent.

    Raises:
        UserError: the folder is missing or empty, or holds a foreign file.
    """

    def __init__(self, folder: Path, numbers: Sequence[int] | None = None) -> None:
        self.folder = folder
        self.info = read_info(folder)
        present, foreign = _listing(folder)
        if foreign:
            raise UserError(
                f"{foreign[0]} does not belong into a folder of episodes: move it elsewhere"
            )
        self.numbers = tuple(present if numbers is None else numbers)
        if not self.numbers:
            raise UserError(f"{folder} holds no episodes yet: collect some into it first")
        self._loaded: dict[int, PackedEpisode] = {}
        self._starts: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> Episode:
        """Return the episode at this position.

        Only its frames are a copy that may be written to.
        """
        return self.packed(index).unpack()

    def packed(self, index: int) -> PackedEpisode:
        """Return the episode at this position as it is kept.

        `frames` cost time where they are sliced.
        """
        number = self.numbers[index]
        if number not in self._loaded:
            path = episode_path(self.folder, number)
            episode = read_episode(path)
            if problem := _misfit(episode, self.info):
                raise UserError(
                    f"{path} {problem}, unlike {INFO_NAME}: delete it and collect again"
                )
            self._loaded[number] = PackedEpisode.pack(episode)
        return self._loaded[number]

    def split(self, fraction: float, seed: int) -> tuple["Episodes", "Episodes"]:
        """Split by episode into (to learn from, held out). Each episode draws its lot alone,
        from the seed and its number.

        Args:
            fraction: share of episodes held out, in (0, 1); each side gets one at least.
            seed: decides who goes where.
        """
        if not 0 < fraction < 1 or len(self) < 2:
            raise UserError(
                f"a split needs 2 episodes or more and a fraction between 0 and 1, got {len(self)} and {fraction}: "
                "collect more, or choose another fraction"
            )
        lots = [np.random.default_rng([seed, number]).random() for number in self.numbers]
        num_held_out = min(max(round(fraction * len(self)), 1), len(self) - 1)
        held_out = {
            self.numbers[index] for index in np.argsort(lots, kind="stable")[:num_held_out]
        }
        kept = [number for number in self.numbers if number not in held_out]
        return Episodes(self.folder, kept), Episodes(self.folder, sorted(held_out))

    def fingerprint(self) -> str:
        """Tell these episodes from others by what was done and felt in them: frames follow.

        Reads all episodes.
        """
        digest = hashlib.sha256()
        for index in range(len(self)):
            episode = self.packed(index)
            digest.update(episode.actions.tobytes() + episode.states.tobytes())
        return digest.hexdigest()

    def starts(self, num_actions: int) -> Int[np.ndarray, "m 2"]:
        """Return every (episode position, first frame) at which a clip of this many actions fits.

        Reads all episodes.
        """
        if num_actions in self._starts:
            return self._starts[num_actions]
        counts = [
            max(len(self.packed(index).actions) - num_actions + 1, 0)
            for index in range(len(self))
        ]
        pairs = [(index, start) for index, count in enumerate(counts) for start in range(count)]
        if not pairs:
            raise UserError(
                f"no episode of {self.folder} has {num_actions} actions: ask for shorter clips"
            )
        self._starts[num_actions] = np.array(pairs)
        return self._starts[num_actions]

    def clip(
        self, indices: Sequence[tuple[int, int]] | Int[np.ndarray, "b 2"], num_actions: int
    ) -> Clip:
        """Return the clips of this many actions that begin at these (episode position, first frame), as one batch."""
        slices: dict[str, list[np.ndarray]] = {"actions": [], "frames": [], "states": []}
        for index, start in indices:
            episode, stop = self.packed(int(index)), int(start) + num_actions
            if start < 0 or stop > len(episode.actions):
                raise IndexError(
                    f"actions {start} to {stop} of {len(episode.actions)} in episode position {index}"
                )
            slices["actions"].append(episode.actions[start:stop])
            # t actions join t+1 frames
            slices["frames"].append(episode.frames[start : stop + 1])
            slices["states"].append(episode.states[start : stop + 1])
        actions, states = (
            torch.from_numpy(np.stack(slices[name])) for name in ("actions", "states")
        )
        return Clip(actions=actions, frames=to_float(np.stack(slices["frames"])), states=states)

    def sample(
        self,
        batch: int,
        num_actions: int,
        rng: np.random.Generator,
        weights: Float[np.ndarray, " m"] | None = None,
    ) -> Clip:
        """Draw a batch of clips, with replacement.

        Args:
            batch: how many clips.
            num_actions: actions per clip.
            rng: decides which.
            weights: how likely each of `starts(num_actions)` is, up to a factor; all alike when
                absent.
        """
        starts = self.starts(num_actions)
        shares = None if weights is None else weights / weights.sum()
        return self.clip(starts[rng.choice(len(starts), batch, p=shares)], num_actions)


def _listing(folder: Path) -> tuple[list[int], list[Path]]:
    """Return the numbers of the episodes in a folder, and the files that are foreign (hidden ones are left alone)."""
    numbers, foreign = [], []
    for path in sorted(folder.iterdir()):
        match = EPISODE_NAME.fullmatch(path.name)
        if match and path.is_file():
            numbers.append(int(match[1]))
        elif path.name not in ALLOWED_NAMES and not path.name.startswith("."):
            foreign.append(path)
    return numbers, foreign


def _misfit(episode: Episode, info: DatasetInfo) -> str | None:
    """Say in which way an episode is unlike its dataset, if it is."""
    for what, got, wanted in (
        (
            "frames of (height, width, channels)",
            episode.frames.shape[1:],
            (*info.frame_size, 3),
        ),
        ("actions of size", episode.actions.shape[1], info.action_size),
        ("states of size", episode.states.shape[1], info.state_size),
        ("track coordinates", episode.tracks.shape[2], 2),
    ):
        if got != wanted:
            return f"has {what} {got}, not {wanted}"
    return (
        None
        if np.isfinite(episode.actions).all() and np.isfinite(episode.states).all()
        else "has a NaN"
    )
