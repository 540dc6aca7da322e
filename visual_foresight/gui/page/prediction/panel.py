"""The panel of the prediction: what a plan is imagined to show, and the sliders of the timeline."""

from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.pictures import data_url, prediction_picture, shape_style
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Frame, State

PLAY_EVERY_S = 0.25


class PredictionPanel:
    """Builds the panel and draws it (arguments as in `ScenePanel`)."""

    def __init__(
        self, session: Session, timeline: Timeline, redraw: Callable[[], None]
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._redraw = redraw
        self._changes = ChangeDetector()
        self._is_drawing = False
        """Whether a slider is being moved by `draw`, not by a hand."""
        with ui.element("section").classes("card prediction"):
            with ui.element("div").classes("head"):
                self._title = ui.html("", sanitize=False, tag="h2")
                ui.element("div").classes("grow")
                self._play = ui.switch("Play").props("dense size=sm")
            with ui.element("div").classes("viewport"):
                self._frame = ui.element("div").classes("frame")
            with self._frame:
                self._image = ui.element("img").props('alt="What the model imagines"')
            self._hint = ui.label().classes("hint")
            with ui.element("div").classes("sliders"):
                self._step_text = ui.label()
                self._step = self._slider("Step of the run")
                self._ahead_text = ui.label()
                self._ahead = self._slider("Steps ahead")
        ui.timer(PLAY_EVERY_S, self._on_tick)

    def _slider(self, name: str) -> ui.slider:
        slider = ui.slider(min=0, max=1, step=1, value=0, on_change=self._on_slide)
        slider.props(f'aria-label="{name}"')
        return slider

    def draw(self, state: State) -> None:
        """Show a state."""
        timeline = self._timeline
        plan = timeline.plan(state)
        horizon = 0 if plan is None else len(plan.actions)
        timeline.ahead = min(timeline.ahead, horizon)
        self._is_drawing = True
        _set_slider(self._step, timeline.step, _last_step(state))
        _set_slider(self._ahead, timeline.ahead, horizon)
        self._is_drawing = False
        self._step_text.set_text(f"Plan at step {timeline.step}")
        self._ahead_text.set_text(f"{timeline.ahead} ahead")
        title = "Imagined now, of a recording" if state.is_recorded else "Imagined"
        is_preview = timeline.preview is not None
        self._title.set_content("Preview of a fan, nothing moves" if is_preview else title)
        self._hint.set_text(self._hint_text(state, horizon))
        self._draw_frame(state)

    def _draw_frame(self, state: State) -> None:
        timeline = self._timeline
        plan = timeline.plan(state)
        frame = _frame_of_step(state, timeline.step)
        is_new = self._changes.changed(
            plan, timeline.step, timeline.ahead, timeline.rank, state.trial, state.frame
        )
        if frame is None or not is_new:
            return
        picture = frame
        if plan is not None and timeline.ahead:
            picture = prediction_picture(plan, timeline.ahead - 1, frame, timeline.rank)
        height, width, _ = frame.shape
        self._frame.style(shape_style((height, width)))
        self._image.props["src"] = data_url(picture)
        self._image.update()

    def _hint_text(self, state: State, horizon: int) -> str:
        if not horizon and state.is_recorded:
            return "There is nothing imagined of this frame."
        if not horizon:
            return "Press Plan to see what the model expects."
        if not self._timeline.ahead:
            return "The frame that the plan was made from."
        if self._timeline.has_happened(state):
            return "This has happened: compare with the scene."
        return "This has not happened (yet)."

    def _on_slide(self, _: events.ValueChangeEventArguments) -> None:
        timeline = self._timeline
        step = int(self._step.value)
        ahead = int(self._ahead.value)
        if self._is_drawing or (step == timeline.step and ahead == timeline.ahead):
            return
        if step != timeline.step:
            timeline.rank = 0
            timeline.preview = None
        timeline.step = step
        timeline.ahead = ahead
        self._redraw()

    def _on_tick(self) -> None:
        """Play: a recording step by step, or a plan from its frame to its end."""
        if not self._play.value:
            return
        state = self._session.state
        timeline = self._timeline
        plan = timeline.plan(state)
        if state.is_recorded:
            timeline.step = (timeline.step + 1) % (_last_step(state) + 1)
            timeline.ahead = 0
            self._redraw()
        elif plan is not None:
            timeline.ahead = (timeline.ahead + 1) % (len(plan.actions) + 1)
            self._redraw()


def _set_slider(slider: ui.slider, value: int, last: int) -> None:
    if slider.props["max"] != max(last, 1):
        slider.props["max"] = max(last, 1)
        slider.update()
    slider.set_value(value)
    slider.set_enabled(last > 0)


def _last_step(state: State) -> int:
    if state.is_recorded and state.trial is not None:
        return len(state.trial.episode.actions)
    return max(len(state.plans) - 1, 0)


def _frame_of_step(state: State, step: int) -> Frame | None:
    """Return the frame that the plan of a step was made from, the present one by default."""
    frames = () if state.trial is None else state.trial.episode.frames
    return frames[step] if step < len(frames) else state.frame
