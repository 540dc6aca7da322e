"""The folder of a run: its notes, and one file per turn, each written whole or not at all.

A program that is killed loses the turn under way, no more. Its folder is locked while it writes,
so that another program on the same output folder leaves it alone; a lock ends with its program.
"""

import logging
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from visual_foresight.control.loop import Step
from visual_foresight.episodes.episode_files import LEFTOVERS
from visual_foresight.gui.session.kept_runs.run_notes import RunNotes, read_notes
from visual_foresight.gui.session.kept_runs.turns import pack, read_plan, read_step
from visual_foresight.system.files import write_bytes
from visual_foresight.system.locks import locked
from visual_foresight.types import Plan, UserError

logger = logging.getLogger(__name__)


def turn_path(folder: Path, index: int) -> Path:
    """Return the file of a turn, whether it exists or not."""
    return folder / f"step_{index:06d}.npz"


class RunFolder:
    """A run's folder while this program writes to it.

    Raises:
        UserError: another program has it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held = ExitStack()
        self._held.enter_context(locked(folder, "page", "choose another --out"))

    def close(self) -> None:
        """Give the lock back."""
        self._held.close()

    def notes(self) -> RunNotes:
        """Read the notes (see `read_notes`)."""
        return read_notes(self.folder)

    @property
    def is_empty(self) -> bool:
        """Return whether there is nothing in it: the program was killed before it wrote."""
        return all(path.name.startswith(".") for path in self.folder.iterdir())

    def add(self, step: Step, model: str) -> None:
        """Keep a turn."""
        write_bytes(turn_path(self.folder, step.index), pack(step, model))

    def steps(self) -> list[Step]:
        """Read the turns, without predictions, as far as they follow one another.

        They end before the first one that is missing, damaged or of another run.
        """
        found: list[Step] = []
        while (path := turn_path(self.folder, len(found))).exists():
            try:
                step = read_step(path)
            except UserError as error:
                logger.warning("%s", error)
                break
            if not _follows(step, found):
                logger.warning("%s is no step of this run: it ends before", path)
                break
            found.append(step)
        return found

    def read_plan(self, index: int) -> Plan:
        """Read a plan (see `turns.read_plan`)."""
        return read_plan(turn_path(self.folder, index))

    def remove_leftovers(self) -> None:
        """Remove what was being written when a program ended."""
        for path in self.folder.glob(LEFTOVERS):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()


def _follows(step: Step, before: Sequence[Step]) -> bool:
    """Tell whether a turn can come after others."""
    if step.index != len(before) or not before:
        return step.index == len(before)
    plan = before[-1].plan
    return (
        plan is not None
        and _shapes(before[0]) == _shapes(step)
        and (step.plan is None or step.plan.actions.shape[1:] == plan.actions.shape[1:])
    )


def _shapes(step: Step) -> dict[str, tuple[int, ...]]:
    """Return the shapes of what was seen in a turn."""
    seen = step.observation
    frames = {view: frame.shape for view, frame in seen.frames.items()}
    return {**frames, "state": seen.state.shape, **dict.fromkeys(seen.signals, ())}
