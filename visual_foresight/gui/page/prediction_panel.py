"""The panel of what the model believes: imagined frames of a plan, and the sliders that step it beside what happened."""

from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.pictures import address, believed
from visual_foresight.gui.page.timeline import Memory, Moment
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State


class Belief:
    """Builds the panel and draws it (arguments as in `Scene`)."""

    def __init__(self, session: Session, moment: Moment, redraw: Callable[[], None]) -> None:
        self._session, self._moment, self._redraw = session, moment, redraw
        self._seen, self._is_drawing = Memory(), False
        with ui.element("section").classes("card belief"):
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
        moment = self._moment
        plan = moment.plan(state)
        horizon = 0 if plan is None else len(plan.actions)
        moment.ahead = min(moment.ahead, horizon)
        self._is_drawing = True
        for slider, value, most in (
            (self._step, moment.step, self._last_step(state)),
            (self._ahead, moment.ahead, horizon),
        ):
            if slider.props["max"] != max(most, 1):
                slider.props["max"] = max(most, 1)
                slider.update()
            slider.set_value(value)
            slider.set_enabled(most > 0)
        self._is_drawing = False
        self._step_text.set_text(f"Plan at step {moment.step}")
        self._ahead_text.set_text(f"{moment.ahead} ahead")
        self._title.set_content("Imagined now, of a recording" if state.is_recorded else "Imagined")
        self._hint.set_text(self._hinted(state, horizon))
        recorded = () if state.trial is None else state.trial.episode.frames
        below = recorded[moment.step] if moment.step < len(recorded) else state.frame
        if below is not None and self._seen.differs(plan, moment.ahead, moment.number, below):
            shown = (
                below if plan is None or not moment.ahead else believed(plan, moment.ahead - 1, below, moment.number)
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
        if not self._moment.ahead:
            return "The frame that the plan was made from."
        return (
            "This has happened: compare with the scene."
            if self._moment.happened(state)
            else "This has not happened (yet)."
        )

    def _slid(self, _: events.ValueChangeEventArguments) -> None:
        step, ahead = int(self._step.value), int(self._ahead.value)
        if not self._is_drawing and (step, ahead) != (self._moment.step, self._moment.ahead):
            self._moment.number = self._moment.number if step == self._moment.step else 0
            self._moment.step, self._moment.ahead = step, ahead
            self._redraw()

    def _tick(self) -> None:
        state, moment = self._session.state, self._moment
        if not self._play.value:
            return
        if state.is_recorded:  # replay what happened
            moment.step, moment.ahead = (moment.step + 1) % (self._last_step(state) + 1), 0
            self._redraw()
        elif (plan := moment.plan(state)) is not None:
            moment.ahead = (moment.ahead + 1) % (len(plan.actions) + 1)
            self._redraw()
