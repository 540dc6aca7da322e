"""The panel of the prediction: what a plan is imagined to show, and the sliders of the timeline."""

import html
from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.pictures import data_url, shape_style
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Frame, State
from visual_foresight.types import Plan
from visual_foresight.vision.drawing import imagined

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
        self.card = ui.element("section").classes("card prediction")
        """What the row of layers is built in."""
        with self.card:
            with ui.element("div").classes("head"):
                self._title = ui.html("", sanitize=False, tag="h2")
                ui.element("div").classes("grow")
                self._newest = ui.button("Newest", on_click=self._on_newest)
                self._newest.props("flat dense size=sm")
                self._play = ui.switch("Play").props("dense size=sm")
            with ui.element("div").classes("viewport"):
                self._frame = ui.element("div").classes("frame")
            self.frame = self._frame
            """What the layers lie over."""
            with self._frame:
                self._image = ui.element("img").props('alt="What the model imagines"')
                self._nothing = ui.label().classes("nothing")
            with ui.element("div").classes("head"):
                self._hint = ui.label().classes("hint")
                ui.element("div").classes("grow")
                self._now = ui.button("Imagine now", on_click=self._session.imagine_now)
                self._now.props("outline dense no-wrap padding='3px 10px'")
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
        self._title.set_content(html.escape(self._title_text(state)))
        self._hint.set_text(self._hint_text(state, plan))
        self._newest.set_visibility(not timeline.follows and not state.is_recorded)
        self._now.set_visibility(state.is_recorded)
        self._now.set_enabled(state.can_start)
        self._draw_frame(state, plan)

    def _draw_frame(self, state: State, plan: Plan | None) -> None:
        timeline = self._timeline
        frame = _frame_of_step(state, timeline.step)
        nothing = _why_nothing(state, plan)
        self._nothing.set_text(nothing)
        self._nothing.set_visibility(bool(nothing))
        self._image.set_visibility(not nothing)
        shown = (timeline.step, timeline.ahead, timeline.rank, timeline.preview)
        is_new = self._changes.changed(*state.run_shown, *shown, nothing, state.frame)
        if frame is None or not is_new:
            return
        height, width, _ = frame.shape
        self._frame.style(shape_style((height, width)))
        if plan is None or nothing:
            return
        picture = frame
        if timeline.ahead:
            picture = imagined(plan, timeline.ahead - 1, frame, timeline.rank)
        self._image.props["src"] = data_url(picture)
        self._image.update()

    def _title_text(self, state: State) -> str:
        """Return who imagined what is shown, and when."""
        if self._timeline.preview is not None:
            return "Preview of a fan, nothing moves"
        if not len(state.plans) or not state.imagined_by:
            return "Imagined"
        if not state.is_recorded:
            return f"Imagined by {state.imagined_by}"
        when = "now" if state.is_imagined_now else "then"
        return f"Imagined {when} by {state.imagined_by}"

    def _hint_text(self, state: State, plan: Plan | None) -> str:
        if _why_nothing(state, plan):
            return ""
        if not self._timeline.ahead:
            return "The frame that the plan was made from."
        if self._timeline.has_happened(state):
            return "This has happened: compare with the scene."
        if state.is_recorded:
            return "The run ended before this."
        return "This has not happened (yet)."

    def _on_newest(self) -> None:
        self._timeline.go_to_newest(self._session.state)
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
        """Play: a recording step by step, or a plan from its frame to its end."""
        if not self._play.value:
            return
        state = self._session.state
        timeline = self._timeline
        plan = timeline.plan(state)
        if state.is_recorded:
            timeline.step = (timeline.step + 1) % max(state.num_done, 1)
            timeline.ahead = 1 if timeline.plan(state) is not None else 0
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
    if state.is_recorded and not len(state.plans):
        return state.num_done
    return max(len(state.plans) - 1, 0)


def _frame_of_step(state: State, step: int) -> Frame | None:
    """Return the frame that the plan of a step was made from, the present one by default."""
    frames = () if state.trial is None else state.trial.episode.frames
    return frames[step] if step < len(frames) else state.frame


def _why_nothing(state: State, plan: Plan | None) -> str:
    """Return why there is nothing to show of what is imagined; nothing if there is something."""
    if plan is None and state.is_recorded:
        return "What was imagined then was not kept, or there is no more."
    if plan is None:
        return "Press Plan to see what the model expects."
    imagines = plan.prediction.frames.shape[1] or plan.prediction.pixel_maps.shape[2]
    return "" if imagines else f"{state.imagined_by or 'This controller'} imagines nothing."
