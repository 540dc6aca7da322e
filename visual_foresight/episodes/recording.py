"""An episode that is written while it is recorded, so that it may be longer than memory holds."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float32

from visual_foresight.episodes.casts import as_stored, to_float32, to_rgb
from visual_foresight.episodes.episode_files import (
    episode_path,
    refuse_breach,
)
from visual_foresight.episodes.formats.hdf5 import (
    FIRST_VIEW,
    HDF5,
    HDF5Stream,
    is_long,
    require_view_name,
)
from visual_foresight.episodes.info import INFO_NAME, read_info
from visual_foresight.episodes.laws import breach_of
from visual_foresight.types import Episode, Observation, UserError


class Recording:
    """An episode of a real robot, say, which nobody can record a second time.

    Each action and each observation is checked when it comes. Whatever ends the block, what was
    recorded until then is kept, unless it is discarded. Used so:

        with Recording(folder, number, observation) as recording:
            while robot.is_running():
                recording.add(action, robot.observe())

    Args:
        folder: of the dataset.
        number: of the episode: 0 or more, a clock's for example.
        first: what was seen before the first action; the first of its views is the main one.

    Raises:
        UserError: there is an episode of this number already.
    """

    def __init__(self, folder: Path, number: int, first: Observation) -> None:
        self.notes: dict[str, Any] = {}
        """Becomes `Episode.meta`."""
        self._path = episode_path(folder, number)
        if self._path.exists():
            raise UserError(f"{self._path} is there already: choose another number")
        self._folder = folder
        self._number = number
        self._info = read_info(folder) if (folder / INFO_NAME).is_file() else None
        self._main, *others = first.frames
        for name in others:
            require_view_name(name)
        self._actions: list[np.ndarray] = []
        self._signals: list[Mapping[str, float]] = []
        self._states = [to_float32(first.state, "state of frame 0", 1)]
        self._frames: list[dict[str, np.ndarray]] = []
        self._frames.append(self._stored(first, 0))
        self._before = first
        self._stream: HDF5Stream | None = None
        self._is_over = False

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._is_over:
            return
        if kind is not None and not self._actions:
            self.discard()
        else:
            self.finish()

    def __len__(self) -> int:
        """Return how many actions were recorded."""
        return len(self._actions)

    def add(self, action: Any, seen: Observation) -> None:
        """Add an action and what was seen after it.

        Raises:
            UserError: they break a law of episodes, or the disk is full; they are not recorded.
        """
        step = len(self._states)
        stored = to_float32(action, f"action {step - 1}", 1)
        state = to_float32(seen.state, f"state of frame {step}", 1)
        frames = self._stored(seen, step)
        self._require_size("action", stored.shape, self._actions[:1], step - 1)
        self._require_size("state of frame", state.shape, self._states[:1], step)
        self._require_digits(seen, step)
        # One step is an episode, too, so that the same laws are asked of it.
        pair = [self._states[-1], state]
        step_alone = self._episode([stored], pair, [seen.signals], [frames], {}, None)
        breach = breach_of(step_alone, self._info)
        if breach is not None:
            raise UserError(
                f"{self._path}: the step to frame {step} {breach.what}: {breach.advice}"
            )
        self._actions.append(stored)
        self._states.append(state)
        self._signals.append(dict(seen.signals))
        self._frames.append(frames)
        self._before = seen
        self._spill(frames)

    def _require_digits(self, seen: Observation, step: int) -> None:
        """Refuse a state or a signal whose changes float32 hides, as it does a clock's."""
        pair = np.stack([np.asarray(self._before.state), np.asarray(seen.state)])
        to_float32(pair, f"states up to frame {step}", 2)
        for name, value in seen.signals.items():
            values = [self._before.signals.get(name, value), value]
            to_float32(values, f"the signal {name!r} up to frame {step}", 1)

    def finish(self, tracks: Float32[np.ndarray, "t_plus_1 p 2"] | None = None) -> Path:
        """Write what memory holds, give the file its name, and return it.

        Args:
            tracks: see `Episode.tracks`; none where unknown.

        Raises:
            UserError: tracks or notes break a law, and are left out; or the disk is full.
        """
        try:
            stored = as_stored(self._whole(dict(self.notes), tracks))
            refuse_breach(self._path, stored, self._info)
        except UserError as error:  # the recording is kept all the same
            self._write(self._whole({}, None))
            raise UserError(
                f"{self._path} is written without its notes and tracks: {error}"
            ) from error
        self._write(stored)
        return self._path

    def _write(self, episode: Episode) -> None:
        """Write the episode, or what is missing of it in the file that was begun."""
        if self._stream is None:
            HDF5().write(self._path, episode)
            self._is_over = True
            return
        self._is_over = True
        with self._stream as stream:
            stream.finish(episode)

    def discard(self) -> None:
        """Leave no file."""
        self._is_over = True
        if self._stream is not None:
            self._stream.discard()

    def _require_size(
        self, what: str, size: tuple[int, ...], first: Sequence[np.ndarray], number: int
    ) -> None:
        """Refuse what has another size than the first one, if there is one."""
        if first and first[0].shape != size:
            raise UserError(
                f"{self._path}: {what} {number} has the size {size}, the first one had "
                f"{first[0].shape}: all are of one size"
            )

    def _stored(self, seen: Observation, number: int) -> dict[str, np.ndarray]:
        """Return the frames of an observation as files have them, by the names of their views."""
        names = {FIRST_VIEW if name == self._main else name for name in seen.frames}
        if self._frames and names != self._frames[0].keys():
            raise UserError(
                f"{self._path}: frame {number} is of the views {', '.join(seen.frames)}, the "
                f"first one was of others: give a frame of each view each time"
            )
        stored = {}
        for name, frame in seen.frames.items():
            what = f"of the view {name!r} the frame" if name else "frame"
            rgb = to_rgb(np.asarray(frame)[None], f"{what} {number}")[0]
            place = FIRST_VIEW if name == self._main else name
            self._require_size(
                what, rgb.shape, [each[place] for each in self._frames[:1]], number
            )
            stored[place] = rgb.copy()  # the camera may give the same array each time
        return stored

    def _spill(self, newest: dict[str, np.ndarray]) -> None:
        """Begin the file when there is too much for memory, and from then on go on with it."""
        if self._stream is not None:
            self._stream.append(newest)
        elif is_long(
            {name: len(self._frames) * frame.nbytes for name, frame in newest.items()}
        ):
            first, *others = self._frames
            self._stream = HDF5Stream(self._path, first)
            for frames in others:
                self._stream.append(frames)
        if self._stream is not None:
            self._frames = [newest]

    def _whole(self, notes: Mapping[str, Any], tracks: np.ndarray | None) -> Episode:
        """Return all that was recorded, with these notes and tracks."""
        return self._episode(
            self._actions, self._states, self._signals, self._frames, notes, tracks
        )

    def _episode(
        self,
        actions: Sequence[np.ndarray],
        states: Sequence[np.ndarray],
        signals: Sequence[Mapping[str, float]],
        frames: Sequence[Mapping[str, np.ndarray]],
        notes: Mapping[str, Any],
        tracks: np.ndarray | None,
    ) -> Episode:
        """Return an episode; where its frames are in the file, the newest stands for each."""
        num_frames = len(states)
        stacked = {
            name: np.stack([each[name] for each in frames])
            if len(frames) == num_frames
            else np.broadcast_to(newest, (num_frames, *newest.shape))
            for name, newest in frames[-1].items()
        }
        names = signals[0].keys() if signals else ()
        return Episode(
            actions=np.stack(actions)
            if actions
            else np.zeros((0, self._action_size), np.float32),
            frames=stacked.pop(FIRST_VIEW),
            states=np.stack(states),
            tracks=np.zeros((num_frames, 0, 2), np.float32) if tracks is None else tracks,
            meta=notes,
            signals={
                name: to_float32([each[name] for each in signals], f"the signal {name!r}", 1)
                for name in names
                if all(name in each for each in signals)
            },
            other_views=stacked,
        )

    @property
    def _action_size(self) -> int:
        """Return how many numbers an action has, where none was recorded."""
        return 0 if self._info is None else self._info.action_size
