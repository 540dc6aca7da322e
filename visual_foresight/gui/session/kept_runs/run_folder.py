"""The folder of a run: its notes, and one file per turn, each written whole or not at all.

A program that is killed loses the turn under way, no more. Its folder is locked while it writes,
so that another program on the same output folder leaves it alone; a lock ends with its program.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import Any

from visual_foresight.control.loop import Step
from visual_foresight.episodes.episode_files import LEFTOVERS
from visual_foresight.gui.session.kept_runs.kept_plans import READ_AHEAD, KeptPlans
from visual_foresight.gui.session.kept_runs.turns import pack, read_plan, read_step
from visual_foresight.system.files import write_bytes
from visual_foresight.system.locks import locked
from visual_foresight.types import Plan, UserError

logger = logging.getLogger(__name__)
NOTES_NAME = "run.json"
FINISHED = "finished"
"""The note that the run's episode has been written."""


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
        self._read = lru_cache(maxsize=READ_AHEAD)(self.read_plan)

    def close(self) -> None:
        """Give the lock back."""
        self._held.close()

    def write_notes(self, notes: Mapping[str, Any]) -> None:
        """Write the notes of the run: plain JSON values."""
        write_bytes(self.folder / NOTES_NAME, json.dumps(dict(notes)).encode())

    def notes(self) -> dict[str, Any]:
        """Read the notes.

        Raises:
            UserError: there are none, or they are damaged.
        """
        return read_notes(self.folder)

    def add(self, step: Step, model: str) -> None:
        """Keep a turn."""
        write_bytes(turn_path(self.folder, step.index), pack(step, model))

    def steps(self) -> list[Step]:
        """Read the turns up to the first one that is missing or damaged, without predictions."""
        found: list[Step] = []
        while (path := turn_path(self.folder, len(found))).exists():
            try:
                found.append(read_step(path))
            except UserError as error:
                logger.warning("%s", error)
                break
        return found

    def plans(self, count: int) -> KeptPlans:
        """Return the first plans, read when they are asked for."""
        return KeptPlans(self._read, count)

    def read_plan(self, index: int) -> Plan:
        """Read a plan."""
        return read_plan(turn_path(self.folder, index))

    def remove_leftovers(self) -> None:
        """Remove what was being written when a program ended."""
        for path in self.folder.glob(LEFTOVERS):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()


def read_notes(folder: Path) -> dict[str, Any]:
    """Read the notes of a run.

    Raises:
        UserError: there are none, or they are damaged.
    """
    path = folder / NOTES_NAME
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} has no notes of a run ({error}): delete its folder") from error
    if not isinstance(notes, dict):
        raise UserError(f"{path} has no notes of a run: delete its folder")
    return notes
