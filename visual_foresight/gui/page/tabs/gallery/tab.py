"""The tab of the kept runs: what is listed, and in which order; what is done to a run."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from nicegui import events, ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.tabs.gallery.card import CardActions, build_card
from visual_foresight.gui.page.tabs.gallery.comparison import compare
from visual_foresight.gui.page.tabs.gallery.dialogs import ask_to_delete, edit_note
from visual_foresight.gui.page.tabs.gallery.export_dialog import show_exports
from visual_foresight.gui.session.gallery.gallery import MOST_COMPARED
from visual_foresight.gui.session.gallery.selection import ORDERS, Selection, listed
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State

STYLES = Path(__file__).with_name("gallery.css")
NO_RUNS = "No runs yet. Each one that moves the robot is kept here and in the output folder."
NOTHING_FOUND = "No run has all of these words in its name, model, goal, outcome, date or note."
TYPING_PAUSE_MS = 250
"""How long nothing is typed before what is typed counts."""


class RunsTab:
    """Builds the tab and draws it. What is listed and chosen is this page's own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changes = ChangeDetector()
        self._selection = Selection()
        self._chosen: list[str] = []
        """Names of the runs to compare, in the order in which they were chosen."""
        request = ui.context.client.request
        self._address = "" if request is None else request.scope.get("root_path", "")
        ui.add_css(STYLES)
        with ui.element("div").classes("gallery-tools"):
            self._build_search()
            self._build_compare()
        self._list = ui.element("div").classes("list").props('role=list aria-label="Runs"')
        self._windows = ui.element("div")
        """Holds open windows, which stay when the list is drawn anew."""

    def _build_search(self) -> None:
        find = ui.input("Find", on_change=self._on_find).classes("gallery-find")
        find.props(f"dense outlined clearable type=search debounce={TYPING_PAUSE_MS}")
        order = ui.select(
            ORDERS, label="Order", value=self._selection.order, on_change=self._on_order
        )
        order.props("dense outlined options-dense")
        self._count = ui.label().props("role=status").classes("soft")
        with ui.element("div").classes("buttons") as self._pager:
            self._back = _pager_button("chevron_left", "Earlier page", lambda: self._turn(-1))
            self._on = _pager_button("chevron_right", "Next page", lambda: self._turn(1))
        ui.element("div").classes("grow")

    def _build_compare(self) -> None:
        self._compare = ui.button("Compare", on_click=self._on_compare)
        self._compare.props("outline dense padding='3px 12px'")
        self._clear = ui.button("None", on_click=self._choose_none)
        self._clear.props('flat dense aria-label="Compare none"')

    def draw(self, state: State) -> None:
        """Show a state."""
        if not self._changes.changed(state.entries, state.notes, self._selection):
            return
        names = {entry.name for entry in state.entries}
        self._chosen = [name for name in self._chosen if name in names]
        found = listed(state.entries, state.notes, self._selection)
        self._count.set_text(found.text if state.entries else "")
        self._pager.set_visibility(found.num_pages > 1)
        self._back.set_enabled(found.page > 0)
        self._on.set_enabled(found.page < found.num_pages - 1)
        self._list.clear()
        with self._list:
            if not found.entries:
                ui.label(NOTHING_FOUND if state.entries else NO_RUNS).classes("soft")
            for entry in found.entries:
                note = state.notes.get(entry.name, "")
                actions = self._actions(entry.name)
                build_card(entry, note, entry.name in self._chosen, self._address, actions)
        self._draw_compare()

    def _actions(self, name: str) -> CardActions:
        return CardActions(
            open=lambda: self._session.open(name),
            export=lambda: self._in_window(lambda: show_exports(name, self._address)),
            edit_note=lambda: self._in_window(lambda: edit_note(self._session, name)),
            delete=lambda: self._in_window(lambda: ask_to_delete(self._session, name)),
            choose=lambda is_chosen: self._choose(name, is_chosen),
        )

    def _in_window(self, build: Callable[[], None]) -> None:
        with self._windows:
            build()

    def _select(self, selection: Selection) -> None:
        self._selection = selection
        self.draw(self._session.state)

    def _on_find(self, event: events.ValueChangeEventArguments) -> None:
        self._select(replace(self._selection, text=str(event.value or ""), page=0))

    def _on_order(self, event: events.ValueChangeEventArguments) -> None:
        self._select(replace(self._selection, order=event.value, page=0))

    def _turn(self, pages: int) -> None:
        state = self._session.state
        page = listed(state.entries, state.notes, self._selection).page + pages
        self._select(replace(self._selection, page=page))

    def _choose(self, name: str, is_chosen: bool) -> None:
        if is_chosen and name not in self._chosen:
            self._chosen.append(name)
        elif not is_chosen and name in self._chosen:
            self._chosen.remove(name)
        self._draw_compare()

    def _choose_none(self) -> None:
        self._chosen = []
        self._changes = ChangeDetector()  # the boxes are drawn anew
        self.draw(self._session.state)

    def _draw_compare(self) -> None:
        count = len(self._chosen)
        if count > MOST_COMPARED:
            self._compare.set_text(f"{count} chosen, {MOST_COMPARED} at most")
        else:
            self._compare.set_text(f"Compare {count}" if count else "Compare")
        self._compare.set_enabled(2 <= count <= MOST_COMPARED)
        self._clear.set_visibility(bool(count))

    async def _on_compare(self) -> None:
        with self._windows:
            await compare(self._session.gallery, list(self._chosen), self._address)


def _pager_button(icon: str, name: str, on_click: Callable[[], None]) -> ui.button:
    button = ui.button(icon=icon, on_click=on_click)
    button.props(f'flat dense aria-label="{name}"')
    return button
