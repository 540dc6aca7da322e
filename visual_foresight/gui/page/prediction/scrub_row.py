"""The row that scrubs every panel of the page: which step of the run, and how far ahead.

Of recorded data it is the frame to imagine from, the same one for all pages.
"""

from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.prediction.timeline import Place, Timeline, last_step, step_at
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State

PLAY_EVERY_S = 0.25
BUTTONS: dict[Place, tuple[str, str]] = {
    "first": ("First step", "first_page"),
    "previous": ("Previous step", "chevron_left"),
    "next": ("Next step", "chevron_right"),
    "last": ("Newest", "last_page"),
}
"""Where a button leads -> its name, and its icon."""
FRAME = "Frame to imagine from"
SAME_TIME = (
    "The scene shows the same step as what is imagined, once it was seen; "
    "otherwise the frame that the plan was made from"
)


class ScrubRow:
    """Builds the row and draws it (arguments as in `ScenePanel`)."""

    def __init__(
        self, session: Session, timeline: Timeline, redraw: Callable[[], None]
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._redraw = redraw
        is_world = session.state.recording is None
        self._is_drawing = False
        """Whether a slider is being moved by `draw`, not by a hand."""
        self.card = ui.element("section").classes("card scrub")
        """What the row of layers is built in, too."""
        with self.card.props('aria-label="Timeline"'):
            with ui.element("div").classes("steps"):
                self._buttons = {place: self._build_button(place) for place in BUTTONS}
                self._play = ui.button(icon="play_arrow", on_click=self._on_play)
                self._play.props("flat dense")
            with ui.element("div").classes("sliders"):
                self._step_text = ui.label()
                self._step = self._slider("Step of the run" if is_world else FRAME)
                self._ahead_text = ui.label()
                self._ahead = self._slider("Steps ahead")
            self._same_time = ui.checkbox("Same step", value=timeline.same_time)
            self._same_time.props("dense size=sm").tooltip(SAME_TIME)
            self._same_time.on_value_change(self._on_same_time)
        ui.timer(PLAY_EVERY_S, self._on_tick)

    def _build_button(self, place: Place) -> ui.button:
        name, icon = BUTTONS[place]
        button = ui.button(icon=icon, on_click=lambda: self._go(place))
        button.props(f'flat dense aria-label="{name}"').tooltip(name)
        return button

    def _slider(self, name: str) -> ui.slider:
        slider = ui.slider(min=0, max=1, step=1, value=0, on_change=self._on_slide)
        slider.props(f'aria-label="{name}"')
        return slider

    def draw(self, state: State) -> None:
        """Show a state."""
        timeline = self._timeline
        recording = state.recording
        step = timeline.step if recording is None else recording.step
        last = last_step(state) if recording is None else recording.num_steps
        can_move = recording is None or state.can_edit
        horizon = timeline.horizon(state)
        self._is_drawing = True
        _set_slider(self._step, step, last, can_move)
        _set_slider(self._ahead, timeline.ahead, horizon)
        self._is_drawing = False
        is_world = recording is None
        text = f"Plan at step {step}" if is_world else f"Frame {step} of {last}"
        self._step_text.set_text(text)
        self._ahead_text.set_text(f"{timeline.ahead} ahead")
        is_behind = is_world and not timeline.follows and not state.is_recorded
        for place in ("first", "previous"):
            self._buttons[place].set_enabled(can_move and step > 0)
        self._buttons["next"].set_enabled(can_move and step < last)
        self._buttons["last"].set_enabled(can_move and (is_behind or step < last))
        self._play.set_enabled(last > 0 if timeline.plays_steps(state) else horizon > 0)
        name = "Pause the timeline" if timeline.is_playing else "Play"
        icon = "pause" if timeline.is_playing else "play_arrow"
        self._play.props(f'icon={icon} aria-label="{name}"')

    # --- events -------------------------------------------------------------------------------

    def _go(self, place: Place) -> None:
        recording = self._session.state.recording
        if recording is None:
            self._timeline.go(self._session.state, place)
        else:
            self._show_frame(step_at(place, recording.step, recording.num_steps))
        self._redraw()

    def _show_frame(self, step: int) -> None:
        """Show another frame of the recording, on all pages."""
        if self._session.recordings is not None:
            self._session.recordings.go_to(step)

    def _on_play(self) -> None:
        self._timeline.is_playing = not self._timeline.is_playing
        self._redraw()

    def _on_same_time(self, event: events.ValueChangeEventArguments) -> None:
        self._timeline.same_time = bool(event.value)
        self._redraw()

    def _on_slide(self, _: events.ValueChangeEventArguments) -> None:
        timeline = self._timeline
        step = int(self._step.value)
        ahead = int(self._ahead.value)
        if self._is_drawing:
            return
        recording = self._session.state.recording
        if recording is not None:
            if step != recording.step:
                self._show_frame(step)
            step = timeline.step
        if step != timeline.step or ahead != timeline.ahead:
            timeline.choose(self._session.state, step, ahead)
        self._redraw()

    def _on_tick(self) -> None:
        if self._timeline.play(self._session.state):
            self._redraw()


def _set_slider(slider: ui.slider, value: int, last: int, can_move: bool = True) -> None:
    if slider.props["max"] != max(last, 1):
        slider.props["max"] = max(last, 1)
        slider.update()
    slider.set_value(value)
    slider.set_enabled(can_move and last > 0)
