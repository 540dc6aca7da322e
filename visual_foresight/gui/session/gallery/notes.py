"""What people write about a run: one short text, kept in a file of its own beside the run."""

from pathlib import Path

from visual_foresight.system.files import remedy, write_bytes
from visual_foresight.types import UserError

LONGEST_NOTE = 500
"""Letters of a note, at most."""


def clean_note(text: str) -> str:
    """Return a note as it is kept: without blanks at its ends, and what cannot be shown.

    Raises:
        UserError: it is too long.
    """
    shown = "".join(letter for letter in text if letter == "\n" or letter.isprintable())
    note = shown.strip()
    if len(note) > LONGEST_NOTE:
        raise UserError(
            f"a note has {LONGEST_NOTE} letters at most, this one has {len(note)}: shorten it"
        )
    return note


def read_note(path: Path) -> str:
    """Return the note in a file; nothing if there is none.

    Of a file that somebody else wrote, what can be shown is taken.
    """
    try:
        with path.open("rb") as file:
            text = file.read(4 * LONGEST_NOTE).decode(errors="replace")
    except OSError:
        return ""
    return clean_note(text[:LONGEST_NOTE])


def write_note(path: Path, note: str) -> None:
    """Write a note, whole or not at all; an empty one removes the file.

    Args:
        path: of its file.
        note: what `clean_note` returned.

    Raises:
        UserError: the disk is full, or nothing may be written there.
    """
    try:
        if note:
            write_bytes(path, note.encode())
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        sentence = remedy(error)
        if sentence is None:
            raise
        raise UserError(sentence) from error
