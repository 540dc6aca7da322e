"""The tab of the action fan: what different actions lead to; a click carries one out."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.pictures import data_url
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.types import to_uint8


class FanTab:
    """Builds the tab and draws it (arguments as in `TabsPanel`)."""

    def __init__(self, session: Session, apply_settings: Callable[[], bool]) -> None:
        self._session = session
        self._apply_settings = apply_settings
        self._changes = ChangeDetector()
        self._button = ui.button("Imagine different actions", on_click=self._on_click)
        self._button.props("outline dense padding='3px 12px'")
        self._thumbs = ui.element("div").classes("thumbs fan q-mt-sm")

    def _on_click(self) -> None:
        if self._apply_settings():
            self._session.imagine_fan()

    def draw(self, state: State) -> None:
        """Show a state."""
        self._button.set_enabled(state.is_idle)
        if self._changes.changed(state.fan):
            self._draw_fan(state)

    def _draw_fan(self, state: State) -> None:
        """Show each sequence of actions by the frame that it is imagined to end with."""
        self._thumbs.clear()
        fan = state.fan
        with self._thumbs:
            if fan is None:
                ui.label(
                    "A grid of futures from the present frame; clicking one carries it out."
                ).classes("soft")
                return
            frames = to_uint8(fan.prediction.frames[:, -1])
            for number, name in enumerate(fan.names):
                thumb = ui.element("button").classes("thumb")
                thumb.props(f'aria-label="Carry out {name}"')
                thumb.on("click", lambda number=number: self._session.carry_out(number))
                with thumb:
                    image = ui.element("img").props('alt=""')
                    image.props["src"] = data_url(frames[number])
                    ui.label(name)
