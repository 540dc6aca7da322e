"""One run in the gallery: its picture, what is known of it, and what can be done with it."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from nicegui import ui

from visual_foresight.gui.session.gallery.entry import Entry
from visual_foresight.gui.session.gallery.gallery import PICTURE


@dataclass(frozen=True)
class CardActions:
    """What the buttons of a card do."""

    open: Callable[[], object]
    export: Callable[[], object]
    edit_note: Callable[[], object]
    delete: Callable[[], object]
    choose: Callable[[bool], object]


def build_card(
    entry: Entry, note: str, is_chosen: bool, address: str, actions: CardActions
) -> None:
    """Build the card of a run.

    Args:
        entry: the run.
        note: what somebody wrote about it.
        is_chosen: whether it is among those to compare.
        address: the path before that of the page's own files.
        actions: what the buttons do.
    """
    with ui.element("div").classes("run").props("role=listitem"):
        picture = ui.element("button").classes("run-picture").on("click", actions.open)
        picture.props["aria-label"] = f"Open {entry.name}"
        with picture:
            image = ui.element("img").props('alt="" loading=lazy')
            image.props["src"] = picture_address(entry, address)
        with ui.element("div").classes("run-text"):
            _build_text(entry, note)
        with ui.element("div").classes("buttons"):
            box = ui.checkbox("Compare", value=is_chosen)
            box.on_value_change(lambda event: actions.choose(bool(event.value)))
            box.props("dense size=xs").props["aria-label"] = f"Compare {entry.name}"
            ui.element("div").classes("grow")
            _button("Open", entry, actions.open).classes("steers")
            _button("Export", entry, actions.export)
            _button("Note", entry, actions.edit_note).classes("steers")
            _button("Delete", entry, actions.delete).classes("steers")


def picture_address(entry: Entry, address: str) -> str:
    """Return where the small picture of a run is; another run of this name has another address."""
    return f"{address}/runs/{quote(entry.name)}{PICTURE}?date={quote(entry.date)}"


def _build_text(entry: Entry, note: str) -> None:
    with ui.element("div").classes("run-head"):
        ui.label(entry.name).classes("run-name")
        ui.label(entry.date_text).classes("soft")
    steps = f"{entry.num_steps} step{'s' if entry.num_steps != 1 else ''}"
    ui.label(", ".join(filter(None, (entry.outcome, entry.distance_text, steps))))
    ui.label(entry.model).classes("soft run-line")
    goal = f"goal: {entry.goal}" if entry.goal != "none" else "no goal"
    ui.label(goal).classes("soft run-line")
    if note:
        ui.label(note).classes("run-note")


def _button(text: str, entry: Entry, on_click: Callable[[], object]) -> ui.button:
    button = ui.button(text, on_click=on_click)
    button.props("flat dense").props["aria-label"] = f"{text} {entry.name}"
    return button
