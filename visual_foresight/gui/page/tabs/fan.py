"""The tab of the action fan: what different actions lead to.

A click on a picture shows that future in the prediction's panel; a button beside the pictures
carries it out.
"""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.pictures import data_url
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.types import to_uint8

BUTTON = "outline dense padding='3px 12px'"


class FanTab:
    """Builds the tab and draws it (arguments as in `TabsPanel`)."""

    def __init__(
        self,
        session: Session,
        timeline: Timeline,
        apply_settings: Callable[[], bool],
        redraw: Callable[[], None],
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._apply_settings = apply_settings
        self._redraw = redraw
        self._chosen: int | None = None
        """The future that is shown in the prediction's panel."""
        self._changes = ChangeDetector()
        with ui.element("div").classes("buttons"):
            self._button = ui.button("Imagine different actions", on_click=self._on_click)
            self._button.props(BUTTON)
            self._carry_out = ui.button("Carry out", icon="play_arrow")
            self._carry_out.props("unelevated dense color=primary padding='3px 12px'")
            self._carry_out.on_click(self._on_carry_out)
            self._hint = ui.label().classes("soft")
        self._thumbs = ui.element("div").classes("thumbs fan q-mt-sm")

    def draw(self, state: State) -> None:
        """Show a state."""
        if self._timeline.preview is None:
            self._chosen = None
        self._button.set_enabled(state.can_start)
        self._draw_choice(state)
        if self._changes.changed(state.fan, self._chosen):
            self._draw_fan(state)

    def _draw_choice(self, state: State) -> None:
        """Say what a click does, or what the button would carry out."""
        fan = state.fan
        name = "" if fan is None or self._chosen is None else fan.names[self._chosen]
        self._carry_out.set_visibility(fan is not None)
        self._carry_out.set_enabled(bool(name) and state.can_start)
        self._carry_out.set_text(f"Carry out {name}" if name else "Carry out")
        if fan is None:
            self._hint.set_text("A grid of futures from the present frame. Nothing moves.")
        elif name:
            self._hint.set_text("The button moves the robot.")
        else:
            self._hint.set_text("Click a picture to see that future. Nothing moves.")

    def _draw_fan(self, state: State) -> None:
        """Show each sequence of actions by the frame that it is imagined to end with."""
        self._thumbs.clear()
        fan = state.fan
        if fan is None:
            return
        frames = to_uint8(fan.prediction.frames[:, -1])
        with self._thumbs:
            for number, name in enumerate(fan.names):
                thumb = ui.element("button").classes("thumb")
                if number == self._chosen:
                    thumb.classes("on")
                is_chosen = str(number == self._chosen).lower()
                thumb.props(f'aria-label="Show {name}" aria-pressed={is_chosen}')
                thumb.on("click", lambda number=number: self._choose(number))
                with thumb:
                    image = ui.element("img").props('alt=""')
                    image.props["src"] = data_url(frames[number])
                    ui.label(name)

    # --- events -------------------------------------------------------------------------------

    def _on_click(self) -> None:
        if self._apply_settings():
            self._session.imagine_fan()

    def _choose(self, number: int) -> None:
        """Show a future in the prediction's panel, at its end."""
        fan = self._session.state.fan
        if fan is None:
            return
        self._chosen = number
        self._timeline.show_preview(self._session.state, fan.plan(number))
        self._redraw()

    def _on_carry_out(self) -> None:
        if self._chosen is not None:
            self._session.carry_out(self._chosen)
