"""The windows in which a run is deleted, and a note about it is written."""

from nicegui import run, ui

from visual_foresight.gui.page.tabs.gallery.window import window
from visual_foresight.gui.session.gallery.notes import LONGEST_NOTE
from visual_foresight.gui.session.session import Session

DELETED_WITH_IT = (
    "Its episode, what was imagined, its animations, its picture and its note are removed from "
    "the output folder. That cannot be undone."
)


def ask_to_delete(session: Session, name: str) -> None:
    """Ask whether a run is to be deleted, and delete it."""
    with window(f"Delete {name}?") as dialog:
        ui.label(DELETED_WITH_IT)
        with ui.element("div").classes("buttons"):
            ui.element("div").classes("grow")
            keep = ui.button("Keep", on_click=dialog.close)
            keep.props("flat autofocus")

            def delete() -> None:
                session.delete(name)
                dialog.close()

            ui.button("Delete", on_click=delete).props("unelevated color=negative")


def edit_note(session: Session, name: str) -> None:
    """Let somebody write about a run."""
    with window(f"Note on {name}") as dialog:
        field = ui.textarea("Note", value=session.state.notes.get(name, ""))
        field.props(f"outlined autogrow autofocus maxlength={LONGEST_NOTE} counter")
        field.classes("w-full")
        with ui.element("div").classes("buttons"):
            ui.element("div").classes("grow")
            ui.button("Cancel", on_click=dialog.close).props("flat")

            async def save() -> None:
                await run.io_bound(session.write_note, name, str(field.value or ""))
                dialog.close()

            ui.button("Save", on_click=save).props("unelevated")
