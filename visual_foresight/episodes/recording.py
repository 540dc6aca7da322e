"""An episode that is written while it is recorded, so that it may be longer than memory holds."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from jaxtyping import Float32

from visual_foresight.episodes.casts import (
    as_stored,
    scale_of,
    to_float32,
    to_rgb,
    without_opaque_alpha,
)
from visual_foresight.episodes.episode_files import (
    episode_path,
    refuse_breach,
)
from visual_foresight.episodes.formats.hdf5.format import HDF5
from visual_foresight.episodes.formats.hdf5.journal import Journal
from visual_foresight.episodes.formats.hdf5.layout import FIRST_VIEW, is_long, require_view_name
from visual_foresight.episodes.formats.hdf5.stream import HDF5Stream
from visual_foresight.episodes.info import INFO_NAME, read_info
from visual_foresight.episodes.laws import breach_of
from visual_foresight.system.files import give_name, refusing_full_disk
from visual_foresight.system.signals import deferred
from visual_foresight.types import Episode, Observation, UserError


@dataclass
class _Step:
    """An action, and what was seen after it."""

    action: np.ndarray
    state: np.ndarray
    signals: Mapping[str, float]
    frames: Mapping[str, np.ndarray] | None
    """None when the file has them."""

    def written(self) -> dict[str, Any]:
        """Return what a journal says of it, in plain JSON values."""
        signals = {name: float(value) for name, value in self.signals.items()}
        return {
            "action": self.action.tolist(),
            "state": self.state.tolist(),
            "signals": signals,
        }


class Recording:
    """An episode of a real robot, say, which nobody can record a second time.

    Each action and each observation is checked when it comes. When an error or Ctrl-C ends the
    block, what was recorded until then is kept, unless it is discarded. SIGTERM and SIGHUP end a
    program of yours at once, without that, unless `system.signals.alike` makes them end the block
    as Ctrl-C does. What a full disk, a second Ctrl-C or SIGKILL keeps from being finished stays
    under hidden names beside the episodes, and `validate --recover` makes an episode of it. So:

        with Recording(folder, number, observation) as recording:
            while robot.is_running():
                recording.add(action, robot.observe())

    Args:
        folder: of the dataset.
        number: of the episode: 0 or more, a clock's for example.
        first: what was seen before the first action; the first of its views is the main one.

    Raises:
        UserError: there is an episode of this number already, or it is being recorded.
    """

    def __init__(self, folder: Path, number: int, first: Observation) -> None:
        self.notes: dict[str, Any] = {}
        """Becomes `Episode.meta`."""
        self._path = episode_path(folder, number)
        self._info = read_info(folder) if (folder / INFO_NAME).is_file() else None
        self._main, *others = first.frames
        for name in others:
            require_view_name(name)
        self._scales: dict[str, int] = {}
        self._first_frames: Mapping[str, np.ndarray] = {}
        self._first_frames = self._stored(first, 0)
        self._first_state = to_float32(first.state, "state of frame 0", 1)
        self._ranges: dict[str, list[np.ndarray]] = {}
        self._ranges = self._widened(first, 0)
        self._steps: list[_Step] = []
        self._stream: HDF5Stream | None = None
        self._num_noted = 0
        """Frames of which the journal says where the file has them."""
        self._is_over = False
        self._hidden = _reserved(self._path)
        try:
            with refusing_full_disk(self._path):
                self._journal = Journal(self._hidden, self._first_frames, self._first_state)
        except BaseException:
            self._hidden.unlink(missing_ok=True)
            raise

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
        if kind is not None and not self._steps:
            self.discard()
        else:
            self.finish()

    def __len__(self) -> int:
        """Return how many actions were recorded."""
        return len(self._steps)

    def add(self, action: Any, seen: Observation) -> None:
        """Add an action and what was seen after it.

        Raises:
            UserError: they break a law, and are not recorded; or the disk is full: then they wait
                in memory, and are written when there is room.
        """
        number = len(self._steps) + 1
        step = _Step(
            to_float32(action, f"action {number - 1}", 1),
            to_float32(seen.state, f"state of frame {number}", 1),
            dict(seen.signals),
            self._stored(seen, number),
        )
        first_actions = [each.action for each in self._steps[:1]]
        self._require_size("action", step.action.shape, first_actions, number - 1)
        self._require_size("state of frame", step.state.shape, [self._first_state], number)
        ranges = self._widened(seen, number)
        # One step is an episode, too, so that the same laws are asked of it.
        breach = breach_of(self._episode([step], {}, None), self._info)
        if breach is not None:
            raise UserError(
                f"{self._path}: the step to frame {number} {breach.what}: {breach.advice}"
            )
        with deferred() as request:
            self._ranges = ranges
            self._steps.append(step)
            try:
                self._spill()
                self._note()
            except (OSError, RuntimeError) as error:
                raise UserError(
                    f"{self._path}: frame {number} cannot be written now ({_reason(error)}) and "
                    "waits in memory: make room on the disk, then go on or end the recording"
                ) from error
        if request.is_there:
            raise request.ending

    def _widened(self, seen: Observation, number: int) -> dict[str, list[np.ndarray]]:
        """Return the lowest and the highest of each number, up to this observation.

        Raises:
            UserError: float32 hides how one changes in this range, as it does a clock.
        """
        values = {"states": np.asarray(seen.state)}
        for name, signal in seen.signals.items():
            values[f"the signal {name!r}"] = np.asarray(signal)
        widened = dict(self._ranges)
        for name, value in values.items():
            so_far = [*self._ranges.get(name, ()), value]
            to_float32(np.stack(so_far), f"{name} up to frame {number}", 1 + value.ndim)
            widened[name] = [
                np.asarray(np.fmin.reduce(so_far)),
                np.asarray(np.fmax.reduce(so_far)),
            ]
        return widened

    def finish(self, tracks: Float32[np.ndarray, "t_plus_1 p 2"] | None = None) -> Path:
        """Write what memory holds, give the file its name, and return it.

        Args:
            tracks: see `Episode.tracks`; none where unknown.

        Raises:
            UserError: tracks or notes break a law, and are left out; or the disk is full: then it
                can be called again, and the sentence names the file that has what was written.
        """
        if self._is_over:
            raise UserError(f"{self._path} is finished or discarded already: call that once")
        try:
            stored = as_stored(self._episode(self._steps, dict(self.notes), tracks))
            refuse_breach(self._path, stored, self._info)
        except UserError as error:  # the recording is kept all the same
            self._write(self._episode(self._steps, {}, None))
            raise UserError(
                f"{self._path} is written without its notes and tracks: {error}"
            ) from error
        self._write(stored)
        return self._path

    def _write(self, episode: Episode) -> None:
        """Write the episode, or what is missing of it in the file that was begun."""
        with deferred() as request:
            try:
                if self._stream is None:
                    HDF5().write(self._hidden, episode)
                else:
                    self._spill()
                    self._stream.finish(episode)
                if self._path.exists():
                    raise UserError(
                        f"{self._path.name} was written by another program: move it elsewhere"
                    )
                give_name(self._hidden, self._path)
                self._journal.remove()
            except (UserError, OSError, RuntimeError) as error:
                raise self._unfinished(error) from error
            self._is_over = True
        if request.is_there:
            raise request.ending

    def _unfinished(self, error: Exception) -> UserError:
        """Return what to say of a recording that cannot be finished now."""
        return UserError(
            f"{self._path} is not finished ({_reason(error)}): make room or mend that, and call "
            f"finish() again while the program runs; until then {self._journal.num_steps} of "
            f"{len(self._steps)} steps are kept in {self._hidden}, of which `validate --recover` "
            "makes an episode"
        )

    def discard(self) -> None:
        """Leave no file."""
        self._is_over = True
        try:
            if self._stream is not None:
                self._stream.close()
        finally:
            self._journal.remove()
            self._hidden.unlink(missing_ok=True)

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
        if self._first_frames and names != self._first_frames.keys():
            raise UserError(
                f"{self._path}: frame {number} is of the views {', '.join(seen.frames)}, the "
                f"first one was of others: give a frame of each view each time"
            )
        stored, scales = {}, dict(self._scales)
        for name, frame in seen.frames.items():
            what = f"of the view {name!r} the frame" if name else "frame"
            place = FIRST_VIEW if name == self._main else name
            given = without_opaque_alpha(np.asarray(frame)[None])[0]
            scale = scales.get(place) or scale_of(given)
            if scale is not None and given.dtype.kind == "f":
                scales[place] = scale
            elif scale is None and given.any():
                raise UserError(
                    f"{self._path}: {what} {number} has floats of 0 and 1 alone, and may be black "
                    "and white, or dark on a scale to 255: give whole numbers from 0 to 255"
                )
            rgb = to_rgb(given[None], f"{what} {number}", scale)[0]
            first = [self._first_frames[place]] if self._first_frames else []
            self._require_size(what, rgb.shape, first, number)
            stored[place] = rgb.copy()  # the camera may give the same array each time
        self._scales = scales
        return stored

    def _spill(self) -> None:
        """Begin the file when there is too much for memory, and from then on go on with it.

        The steps are what counts: the file is given what it has not yet, also after a call that
        was broken off.
        """
        for step in self._steps[self._journal.num_steps :]:
            self._journal.add(step.written(), step.frames)
        num_frames = len(self._steps) + 1
        if self._stream is None and is_long(
            {name: num_frames * frame.nbytes for name, frame in self._first_frames.items()}
        ):
            self._stream = HDF5Stream(self._hidden, self._first_frames)
        if self._stream is None:
            return
        for step in self._steps[len(self._stream) - 1 :]:
            if step.frames is not None:
                self._stream.append(step.frames)
            step.frames = None

    def _note(self) -> None:
        """Let the journal say which frames the file has, in whole chunks."""
        if self._stream is not None and self._stream.num_whole > self._num_noted:
            self._journal.note(self._stream.places(self._num_noted), self._stream.num_whole)
            self._num_noted = self._stream.num_whole

    def _episode(
        self,
        steps: Sequence[_Step],
        notes: Mapping[str, Any],
        tracks: np.ndarray | None,
    ) -> Episode:
        """Return steps as an episode; where frames are in the file, the first stands for each."""
        frames = [self._first_frames]
        frames += [step.frames for step in steps if step.frames is not None]
        num_frames = 1 + len(steps)
        stacked = {
            name: np.stack([each[name] for each in frames])
            if self._stream is None
            else np.broadcast_to(first, (num_frames, *first.shape))
            for name, first in self._first_frames.items()
        }
        names = steps[0].signals.keys() if steps else ()
        return Episode(
            actions=np.stack([step.action for step in steps])
            if steps
            else np.zeros((0, self._action_size), np.float32),
            frames=stacked.pop(FIRST_VIEW),
            states=np.stack([self._first_state, *(step.state for step in steps)]),
            tracks=np.zeros((num_frames, 0, 2), np.float32) if tracks is None else tracks,
            meta=notes,
            signals={
                name: to_float32(
                    [step.signals[name] for step in steps], f"the signal {name!r}", 1
                )
                for name in names
                if all(name in step.signals for step in steps)
            },
            other_views=stacked,
        )

    @property
    def _action_size(self) -> int:
        """Return how many numbers an action has, where none was recorded."""
        return 0 if self._info is None else self._info.action_size


def _reason(error: Exception) -> str:
    """Return what went wrong, in one line."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return " ".join(str(error).split())


def _reserved(path: Path) -> Path:
    """Return a hidden file for what will be written to a path, which nobody else has then.

    Raises:
        UserError: the file is there already, or being written.
    """
    hidden = path.with_name(f".{path.stem}.recording.tmp{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        raise UserError(f"{path} is there already: choose another number")
    try:
        hidden.open("xb").close()
    except FileExistsError as error:
        raise UserError(
            f"{path} is being recorded, or was by a program that ended ({hidden.name} is there): "
            f"choose another number; `validate --folder {path.parent} --recover` keeps what is left"
        ) from error
    if path.exists():  # since a moment ago
        hidden.unlink()
        raise UserError(f"{path} is there already: choose another number")
    return hidden
