"""The tab of the runs that were kept: open one, or save it as an animation."""

from pathlib import Path

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.session.gallery.entry import Entry
from visual_foresight.gui.session.gallery.run_files import ANIMATIONS
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State


class RunsTab:
    """Builds the tab and draws it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changes = ChangeDetector()
        self._list = ui.element("div").classes("list")

    def draw(self, state: State) -> None:
        """Show a state."""
        if not self._changes.changed(state.entries, state.animation):
            return
        self._list.clear()
        with self._list:
            if not state.entries:
                ui.label(
                    "No runs yet. "
                    "Each one that moves the robot is kept here and in the output folder."
                ).classes("soft")
                return
            with ui.element("div").classes("run first"):
                for head in ("Run", "Goal (row, col)", "Final", "Outcome"):
                    ui.label(head)
                ui.label("Model").classes("model")
                ui.label("")
            for entry in reversed(state.entries):
                self._draw_entry(entry, state.animation)

    def _draw_entry(self, entry: Entry, animation: Path | None) -> None:
        with ui.element("div").classes("run"):
            for text in (entry.name, entry.goal, entry.distance_text, entry.outcome):
                ui.label(text)
            ui.label(entry.model).classes("model soft")
            with ui.element("div").classes("buttons"):
                opener = ui.button("Open", on_click=lambda: self._session.open(entry.name))
                opener.props("flat dense size=sm")
                for suffix in ANIMATIONS:
                    self._draw_export(entry, suffix)
                if animation is not None and animation.stem == entry.name:
                    _draw_download(animation)

    def _draw_export(self, entry: Entry, suffix: str) -> None:
        button = ui.button(
            suffix[1:].upper(), on_click=lambda: self._session.export(entry.name, suffix)
        )
        button.props("flat dense size=sm")


def _draw_download(path: Path) -> None:
    button = ui.button(
        icon="download",
        on_click=lambda: ui.download.content(path.read_bytes(), path.name),
    )
    button.props(f'flat dense size=sm aria-label="Download {path.name}"')
