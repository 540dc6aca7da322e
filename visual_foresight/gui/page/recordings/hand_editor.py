"""The part of the panel in which actions are made by hand, one stretch after the other."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.fields import NumberField
from visual_foresight.gui.session.recordings.actions import Actions, Stretch
from visual_foresight.gui.session.recordings.desk import RecordingDesk
from visual_foresight.gui.session.recordings.recording import Recording
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import parse_num_steps
from visual_foresight.gui.session.state import State
from visual_foresight.types import UserError

HELD = 5
"""Steps for which an action is held at first."""
SHOWN = 40
"""Stretches that are drawn, at most."""


class HandEditor:
    """Builds the part and draws it.

    Sliders and the number of steps are of the stretch that is chosen in the list, or of the next
    one that is added.

    Args:
        session: the one that all pages show.
        desk: what is done with recorded data.
        action_size: how many numbers an action has.
    """

    def __init__(self, session: Session, desk: RecordingDesk, action_size: int) -> None:
        self._session = session
        self._desk = desk
        self._chosen: int | None = None
        """Position of the stretch that is being changed."""
        self._is_showing = False
        self._changes = ChangeDetector()
        with ui.element("div").classes("by-hand") as self._element:
            self._sliders = [self._build_slider(number) for number in range(action_size)]
            with ui.element("div").classes("with-buttons"):
                self._held = NumberField(
                    "Held for steps", HELD, parse_num_steps, self._on_change
                )
                self._add = ui.button("Add", on_click=self._on_add)
                self._add.props("outline dense padding='3px 12px'")
                self._remove = ui.button("Remove", on_click=self._on_remove)
                self._remove.props("flat dense")
            self._held.build_error()
            self._list = ui.element("div").classes("stretches").props("role=list")
            self._take = ui.button("Take the recorded ones", on_click=self._on_take)
            self._take.props("flat dense size=sm")

    def _build_slider(self, number: int) -> ui.slider:
        with ui.element("div").classes("named-slider"):
            name = f"Action, number {number + 1}"
            ui.label(f"a{number + 1}").classes("soft").tooltip(name)
            slider = ui.slider(min=-1, max=1, step=0.05, value=0)
            slider.props(f'aria-label="{name}"').on("change", self._on_change)
            value = ui.label().classes("soft value")
            value.bind_text_from(slider, "value", lambda each: f"{each:+.2f}")
        return slider

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, state: State, recording: Recording) -> None:
        """Show a state."""
        actions = recording.actions
        self._element.set_visibility(actions.kind == "hand")
        if self._chosen is not None and self._chosen >= len(actions.stretches):
            self._chosen = None
        for element in (*self._sliders, self._held.element, self._add):
            element.set_enabled(state.can_edit)
        self._take.set_enabled(state.can_edit and recording.num_left > 0)
        self._remove.set_enabled(state.can_edit and bool(actions.stretches))
        if self._changes.changed(actions.stretches, self._chosen):
            self._draw_list(actions)

    def _draw_list(self, actions: Actions) -> None:
        self._list.clear()
        with self._list:
            if not actions.stretches:
                ui.label("Nothing yet: set an action and press Add.").classes("soft")
            for index, stretch in enumerate(actions.stretches[:SHOWN]):
                item = ui.element("button").classes("stretch")
                item.classes("on" if index == self._chosen else "")
                is_chosen = str(index == self._chosen).lower()
                item.props(
                    f'role=listitem aria-label="{stretch.text}" aria-current={is_chosen}'
                )
                item.on("click", lambda index=index: self._choose(index))
                with item:
                    ui.label(stretch.text)
            missing = len(actions.stretches) - SHOWN
            if missing > 0:
                ui.label(f"and {missing} more").classes("soft")

    # --- events -------------------------------------------------------------------------------

    @property
    def _actions(self) -> Actions:
        recording = self._session.state.recording
        return Actions() if recording is None else recording.actions

    def _choose(self, index: int) -> None:
        """Choose a stretch to be changed, or none."""
        stretches = self._actions.stretches
        self._chosen = None if index == self._chosen or index >= len(stretches) else index
        if self._chosen is not None:
            stretch = stretches[self._chosen]
            self._is_showing = True
            for slider, value in zip(self._sliders, stretch.values, strict=True):
                slider.set_value(value)
            self._held.show(stretch.num_steps)
            self._is_showing = False
        self._draw_list(self._actions)

    def _stretch(self) -> Stretch:
        return Stretch(tuple(float(slider.value) for slider in self._sliders), self._held.value)

    def _on_change(self) -> None:
        if self._chosen is not None and not self._is_showing:
            self._publish(
                lambda actions: actions.with_changed(self._chosen or 0, self._stretch())
            )

    def _on_add(self) -> None:
        if self._held.error:
            self._session.show_message(self._held.error, is_error=True)
            return
        self._chosen = None
        self._publish(lambda actions: actions.with_added(self._stretch()))

    def _on_remove(self) -> None:
        """Remove the chosen stretch, or the last one."""
        last = len(self._actions.stretches) - 1
        index = last if self._chosen is None else min(self._chosen, last)
        self._chosen = None
        self._publish(lambda actions: actions.with_changed(index, None))

    def _on_take(self) -> None:
        self._chosen = None
        self._desk.take_recorded_actions()

    def _publish(self, change: Callable[[Actions], Actions]) -> None:
        """Change the actions for all pages, or say why not."""
        try:
            self._desk.choose_actions(change(self._actions))
        except UserError as error:
            self._session.show_message(str(error), is_error=True)
