"""The row that scrubs every panel of the page: which step of the run, and how far ahead."""

from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.prediction.timeline import Place, Timeline, last_step
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
                self._step = self._slider("Step of the run")
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
        last = last_step(state)
        horizon = timeline.horizon(state)
        self._is_drawing = True
        _set_slider(self._step, timeline.step, last)
        _set_slider(self._ahead, timeline.ahead, horizon)
        self._is_drawing = False
        self._step_text.set_text(f"Plan at step {timeline.step}")
        for element in (self._step_text, self._step, *self._buttons.values()):
            element.set_visibility(state.recording is None)  # its own panel scrubs a recording
        self._ahead_text.set_text(f"{timeline.ahead} ahead")
        is_behind = not timeline.follows and not state.is_recorded
        for place in ("first", "previous"):
            self._buttons[place].set_enabled(timeline.step > 0)
        self._buttons["next"].set_enabled(timeline.step < last)
        self._buttons["last"].set_enabled(is_behind or timeline.step < last)
        self._play.set_enabled(last > 0 if timeline.plays_steps(state) else horizon > 0)
        name = "Pause the timeline" if timeline.is_playing else "Play"
        icon = "pause" if timeline.is_playing else "play_arrow"
        self._play.props(f'icon={icon} aria-label="{name}"')

    # --- events -------------------------------------------------------------------------------

    def _go(self, place: Place) -> None:
        self._timeline.go(self._session.state, place)
        self._redraw()

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
        if self._is_drawing or (step == timeline.step and ahead == timeline.ahead):
            return
        timeline.choose(self._session.state, step, ahead)
        self._redraw()

    def _on_tick(self) -> None:
        if self._timeline.play(self._session.state):
            self._redraw()


def _set_slider(slider: ui.slider, value: int, last: int) -> None:
    if slider.props["max"] != max(last, 1):
        slider.props["max"] = max(last, 1)
        slider.update()
    slider.set_value(value)
    slider.set_enabled(last > 0)
