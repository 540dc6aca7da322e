"""What people change about kept runs: they write notes, and delete runs."""

import threading
from collections.abc import Callable

from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.gallery.notes import clean_note, read_note, write_note
from visual_foresight.gui.session.state import State
from visual_foresight.types import UserError


class RunEditor:
    """Changes the runs of an archive, and the state that lists them.

    Args:
        archive: where runs are kept.
        read: returns the session's present state.
        publish: changes fields of it.
    """

    def __init__(
        self, archive: Archive, read: Callable[[], State], publish: Callable[..., None]
    ) -> None:
        self._archive = archive
        self._read = read
        self._publish = publish
        self._lock = threading.Lock()
        """A note must not be written while its run is being deleted."""
        names = [entry.name for entry in archive.entries]
        notes = {name: read_note(archive.files(name).note) for name in names}
        publish(notes={name: note for name, note in notes.items() if note})

    def write_note(self, name: str, text: str) -> bool:
        """Write a note about a run, in any thread; an empty one removes it.

        Returns:
            Whether it is kept. It is not if there is no run of this name, the note is too long, or
            the disk is full; that is said then.
        """
        try:
            self._keep_note(name, clean_note(text))
        except UserError as error:
            self._publish(message=str(error), is_error=True)
            return False
        return True

    def _keep_note(self, name: str, note: str) -> None:
        with self._lock:
            write_note(self._archive.files(name).note, note)
            others = {key: kept for key, kept in self._read().notes.items() if key != name}
            self._publish(notes={**others, name: note} if note else others)

    def delete(self, name: str) -> None:
        """Delete a run, in the worker's thread; one that is shown is shown no more.

        Raises:
            UserError: there is no run of this name.
        """
        with self._lock:
            self._archive.files(name)  # before anything is changed
            state = self._read()
            if state.entry_name == name:  # its plans are read from what is removed
                self._publish(
                    trial=None,
                    run_number=state.run_number + 1,
                    is_recorded=False,
                    is_imagined_now=False,
                    entry_name="",
                    check=None,
                )
            self._archive.remove(name)
            notes = {key: kept for key, kept in self._read().notes.items() if key != name}
            animation = state.animation
            self._publish(
                entries=self._archive.entries,
                notes=notes,
                animation=None if animation is None or animation.stem == name else animation,
                message=f"Deleted {name}",
                is_error=False,
            )
