"""The notes of a run under way, from which its episode is made if the program is killed."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from visual_foresight.gui.session.no_goal import HAS_GOAL
from visual_foresight.system.files import write_bytes
from visual_foresight.types import UserError

NOTES_NAME = "run.json"


def run_name(folder: str, number: int) -> str:
    """Return the name of a run, on the page and in file names."""
    return f"{folder}-{number:06d}"


@dataclass(frozen=True)
class RunNotes:
    """What is known of a run when it begins; the fields are those of the file."""

    folder: str
    """Name of the folder of its episode."""
    number: int
    """Of its episode."""
    goal: Mapping[str, Any]
    """As files keep goals."""
    notes: Mapping[str, Any]
    """Plain JSON values: model, seed, ..."""
    finished: bool = False
    """Whether the episode has been written."""

    @property
    def has_goal(self) -> bool:
        """Return whether it is for a goal; a future of the fan is not."""
        return bool(self.notes.get(HAS_GOAL, True))

    def write(self, folder: Path) -> None:
        """Write them to the run's folder."""
        write_bytes(folder / NOTES_NAME, json.dumps(asdict(self)).encode())


def read_notes(folder: Path) -> RunNotes:
    """Read the notes of a run.

    Raises:
        UserError: there are none, or they are damaged, or those of another folder.
    """
    path = folder / NOTES_NAME
    try:
        written = json.loads(path.read_text(encoding="utf-8"))
        found = RunNotes(
            folder=str(written["folder"]),
            number=int(written["number"]),
            goal=dict(written["goal"]),
            notes=dict(written["notes"]),
            finished=bool(written.get("finished")),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{path} has no notes of a run ({error!r}): delete its folder"
        ) from error
    if (
        run_name(found.folder, found.number) != folder.name
    ):  # where its episode would be written
        raise UserError(
            f"{path} has the notes of another run ({run_name(found.folder, found.number)}): "
            "give its folder that name, or delete it"
        )
    return found
