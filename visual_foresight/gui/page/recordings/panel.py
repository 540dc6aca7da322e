"""The panel at the side where there is recorded data: which frame, which actions, which model."""

from dataclasses import replace

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.fields import NumberField, select
from visual_foresight.gui.page.hints import explain, field_hints
from visual_foresight.gui.page.model_field import ModelField
from visual_foresight.gui.page.recordings.hand_editor import HandEditor
from visual_foresight.gui.session.recordings.actions import KINDS
from visual_foresight.gui.session.recordings.desk import RecordingDesk
from visual_foresight.gui.session.recordings.recording import Recording, parse_number
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import (
    Settings,
    cost_choices,
    parse_num_steps,
    preset_choices,
)
from visual_foresight.gui.session.state import State
from visual_foresight.types import UserError

KIND_HINTS = {
    "recorded": "What the robot did then. What is imagined stands beside what was recorded.",
    "hand": "Actions of yours. Nobody carried them out, so there is nothing to compare with.",
    "planned": "What the planner finds for a goal: click a pixel, then where it is to go.",
}


class RecordingPanel:
    """Builds the panel and draws it.

    Args:
        session: the one that all pages show, on recorded data.
        desk: what is done with the data.
    """

    def __init__(self, session: Session, desk: RecordingDesk) -> None:
        recording = session.state.recording
        assert recording is not None, "this panel shows a recording"
        self._session = session
        self._desk = desk
        self._changes = ChangeDetector()
        self._is_showing = True
        """Whether the fields are being set by the program, not by a hand."""
        with ui.element("aside").classes("settings"):
            with ui.element("section").classes("card"):
                self._build_data(recording)
            with ui.element("section").classes("card"):
                self._build_actions(recording, session.state.choices)
            with ui.element("section").classes("card controls"):
                self._imagine = ui.button("Imagine", on_click=self._on_imagine)
                self._imagine.props("unelevated dense color=primary")
            self._message = ui.label().classes("message").props("role=status")
        self._is_showing = False

    def _build_data(self, recording: Recording) -> None:
        with ui.element("div").classes("heading"):
            ui.html("Recorded data", sanitize=False, tag="h2")
            ui.label(recording.name).classes("now").tooltip(recording.name)
        with ui.element("div").classes("with-buttons"):
            self._back = self._arrow("chevron_left", "The episode before", -1)
            self._number = NumberField(
                "Episode", recording.number, parse_number, self._on_number
            )
            self._next = self._arrow("chevron_right", "The next episode", 1)
        self._number.build_error()
        self._length = ui.label().classes("soft")

    def _arrow(self, icon: str, name: str, by: int) -> ui.button:
        button = ui.button(icon=icon, on_click=lambda: self._desk.open_next(by))
        button.props(f'flat dense aria-label="{name}"').tooltip(name)
        return button

    def _build_actions(self, recording: Recording, settings: Settings) -> None:
        with ui.element("div").classes("heading"):
            ui.html("Imagined", sanitize=False, tag="h2")
            self._now = ui.label().classes("now")
        self._model = ModelField(self._session, self._choose)
        self._kind = ui.toggle(dict(KINDS), value=recording.actions.kind)
        self._kind.props("dense no-caps unelevated spread toggle-color=primary")
        self._kind.props('role=group aria-label="Actions"').on_value_change(self._on_kind)
        self._kind_hint = ui.label().classes("soft")
        self._num_steps = NumberField(
            "Steps at most", settings.num_steps, parse_num_steps, self._choose
        )
        self._num_steps.build_error()
        self._by_hand = HandEditor(self._session, self._desk, recording.action_size)
        with ui.element("div").classes("columns fields") as self._planner:
            costs = {name: choice.label for name, choice in cost_choices().items()}
            self._cost = select("Cost", costs, settings.cost)
            presets = preset_choices(settings.planner)
            self._preset = select("Rollouts", presets, settings.preset)
        for field in (self._cost, self._preset):
            field.on_value_change(self._choose)
        fields = {
            "model": self._model.element,
            "cost": self._cost,
            "preset": self._preset,
        }
        explain(fields, field_hints(Settings))

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Show a state."""
        recording = state.recording
        assert recording is not None, "this panel shows a recording"
        self._is_showing = True
        self._draw_data(recording)
        self._model.draw(state)
        choices = state.choices
        self._now.set_text(f"now: {state.settings.model}")
        self._num_steps.show(choices.num_steps)
        self._cost.set_value(choices.cost)
        self._preset.set_value(choices.preset)
        kind = recording.actions.kind
        self._kind.set_value(kind)
        self._is_showing = False
        self._kind_hint.set_text(KIND_HINTS[kind])
        self._num_steps.element.set_visibility(kind == "recorded")
        self._planner.set_visibility(kind == "planned")
        self._by_hand.draw(state, recording)
        for element in (self._kind, self._cost, self._preset):
            element.set_enabled(state.can_edit)
        self._number.set_enabled(state.can_edit)
        self._back.set_enabled(state.can_edit and recording.position > 0)
        is_last = recording.position == len(recording.numbers) - 1
        self._next.set_enabled(state.can_edit and not is_last)
        self._imagine.set_enabled(state.can_edit and _can_imagine(state, recording))
        self._message.set_text(state.message)
        self._message.classes(**{"add" if state.is_error else "remove": "error"})
        self._message.set_visibility(bool(state.message))

    def _draw_data(self, recording: Recording) -> None:
        if not self._changes.changed(recording.position, recording.step):
            return
        self._number.show(recording.number)
        self._length.set_text(recording.text)

    # --- events -------------------------------------------------------------------------------

    def _on_number(self) -> None:
        if not self._is_showing:
            self._desk.open_episode(self._number.value)

    def _on_kind(self) -> None:
        recording = self._session.state.recording
        if recording is not None and not self._is_showing:
            actions = replace(recording.actions, kind=self._kind.value)
            self._desk.choose_actions(actions)

    def _choose(self) -> None:
        """Hand what the fields hold to the session, for all pages."""
        if self._is_showing:
            return
        try:
            choices = replace(
                self._session.state.choices,
                model=self._model.value,
                cost=self._cost.value,
                preset=self._preset.value,
                num_steps=self._num_steps.value,
            )
        except UserError as error:
            self._session.show_message(str(error), is_error=True)
            return
        self._session.choose(choices)

    def apply(self) -> bool:
        """Tell whether what the fields hold can be used; say on the page why not."""
        if self._num_steps.error:
            self._session.show_message(self._num_steps.error, is_error=True)
        return not self._num_steps.error

    def _on_imagine(self) -> None:
        if self.apply():
            self._desk.imagine()


def _can_imagine(state: State, recording: Recording) -> bool:
    """Tell whether there are actions to imagine, or a goal to plan for."""
    if recording.actions.kind == "planned":
        return state.goal is not None
    if recording.actions.kind == "hand":
        return bool(recording.actions.stretches)
    return recording.num_left > 0
