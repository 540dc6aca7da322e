"""The panel of what the model believes.

Imagined frames of a plan, and the sliders that step it beside what happened.
"""

from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.pictures import address, believed
from visual_foresight.gui.page.timeline import Memory, Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State


class PredictionPanel:
    """Builds the panel and draws it (arguments as in `ScenePanel`)."""

    def __init__(
        self, session: Session, timeline: Timeline, redraw: Callable[[], None]
    ) -> None:
        self._session, self._timeline, self._redraw = session, timeline, redraw
        self._seen, self._is_drawing = Memory(), False
        with ui.element("section").classes("card prediction"):
            with ui.element("div").classes("head"):
                self._title = ui.html("", sanitize=False, tag="h2")
                ui.element("div").classes("grow")
                self._play = ui.switch("Play").props("dense size=sm")
            with ui.element("div").classes("viewport"), ui.element("div").classes("frame"):
                self._image = ui.element("img").props('alt="What the model imagines"')
            self._hint = ui.label().classes("hint")
            with ui.element("div").classes("slide"):
                self._step_text = ui.label()
                self._step = ui.slider(min=0, max=1, step=1, value=0, on_change=self._slid)
                self._step.props('aria-label="Step of the run"')
                self._ahead_text = ui.label()
                self._ahead = ui.slider(min=0, max=1, step=1, value=0, on_change=self._slid)
                self._ahead.props('aria-label="Steps ahead"')
        ui.timer(0.25, self._tick)

    def draw(self, state: State) -> None:
        """Show a state."""
        timeline = self._timeline
        plan = timeline.plan(state)
        horizon = 0 if plan is None else len(plan.actions)
        timeline.ahead = min(timeline.ahead, horizon)
        self._is_drawing = True
        for slider, value, most in (
            (self._step, timeline.step, self._last_step(state)),
            (self._ahead, timeline.ahead, horizon),
        ):
            if slider.props["max"] != max(most, 1):
                slider.props["max"] = max(most, 1)
                slider.update()
            slider.set_value(value)
            slider.set_enabled(most > 0)
        self._is_drawing = False
        self._step_text.set_text(f"Plan at step {timeline.step}")
        self._ahead_text.set_text(f"{timeline.ahead} ahead")
        self._title.set_content(
            "Imagined now, of a recording" if state.is_recorded else "Imagined"
        )
        self._hint.set_text(self._hinted(state, horizon))
        recorded = () if state.trial is None else state.trial.episode.frames
        tabs = recorded[timeline.step] if timeline.step < len(recorded) else state.frame
        if tabs is not None and self._seen.differs(plan, timeline.ahead, timeline.number, tabs):
            shown = (
                tabs
                if plan is None or not timeline.ahead
                else believed(plan, timeline.ahead - 1, tabs, timeline.number)
            )
            self._image.props["src"] = address(shown)
            self._image.update()

    @staticmethod
    def _last_step(state: State) -> int:
        if state.is_recorded and state.trial is not None:
            return len(state.trial.episode.actions)
        return max(len(state.plans) - 1, 0)

    def _hinted(self, state: State, horizon: int) -> str:
        if not horizon and state.is_recorded:
            return "There is nothing imagined of this frame."
        if not horizon:
            return "Press Plan to see what the model expects."
        if not self._timeline.ahead:
            return "The frame that the plan was made from."
        return (
            "This has happened: compare with the scene."
            if self._timeline.happened(state)
            else "This has not happened (yet)."
        )

    def _slid(self, _: events.ValueChangeEventArguments) -> None:
        step, ahead = int(self._step.value), int(self._ahead.value)
        if not self._is_drawing and (step, ahead) != (
            self._timeline.step,
            self._timeline.ahead,
        ):
            self._timeline.number = self._timeline.number if step == self._timeline.step else 0
            self._timeline.step, self._timeline.ahead = step, ahead
            self._redraw()

    def _tick(self) -> None:
        state, timeline = self._session.state, self._timeline
        if not self._play.value:
            return
        if state.is_recorded:  # replay what happened
            timeline.step, timeline.ahead = (
                (timeline.step + 1) % (self._last_step(state) + 1),
                0,
            )
            self._redraw()
        elif (plan := timeline.plan(state)) is not None:
            timeline.ahead = (timeline.ahead + 1) % (len(plan.actions) + 1)
            self._redraw()
