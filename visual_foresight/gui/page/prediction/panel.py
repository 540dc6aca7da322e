"""The panel of the prediction: what a plan is imagined to show, compared with what was seen."""

import html
from collections.abc import Callable
from pathlib import Path

from nicegui import events, ui

from visual_foresight.gui.page.arguments import checked
from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.marks import Marks, imagined_marks
from visual_foresight.gui.page.frames.pictures import data_url, shape_style, signs
from visual_foresight.gui.page.prediction.comparison import SIDE_BY_SIDE, Comparison
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.recordings.texts import prediction_hint
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State, Status
from visual_foresight.types import Plan
from visual_foresight.vision.drawing import imagined

KEYS_JS = (Path(__file__).parents[1] / "frames" / "keys.js").read_text(encoding="utf-8")
KEYS_SPOKEN = "[ and ] move ahead, Page Up and Page Down step, plus and minus zoom"

MAKES_PLANS = (Status.PLANNING, Status.RUNNING)
"""What ends with a plan to show."""


class PredictionPanel:
    """Builds the panel and draws it (arguments as in `ScenePanel`)."""

    def __init__(
        self, session: Session, timeline: Timeline, redraw: Callable[[], None]
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._redraw = redraw
        self._comparison = Comparison(redraw)
        self._changes = ChangeDetector()
        self._mark_changes = ChangeDetector()
        with ui.element("section").classes("card prediction"):
            with ui.element("div").classes("head"):
                self._title = ui.html("", sanitize=False, tag="h2")
                ui.element("div").classes("grow")
                self._comparison.build_choice()
            self._build_frame()
            with ui.element("div").classes("head"):
                self._hint = ui.label().classes("hint").props("role=status")
                ui.element("div").classes("grow")
                self._now = ui.button("Imagine now", on_click=self._session.imagine_now)
                self._now.props("outline dense no-wrap padding='3px 10px'")
            self._comparison.build_controls()

    def _build_frame(self) -> None:
        self._viewport = ui.element("div").classes("viewport")
        with self._viewport:
            self._frame = (
                ui.element("div")
                .classes("frame")
                .props(
                    f'tabindex=0 role=application aria-label="What is imagined: {KEYS_SPOKEN}"'
                )
            )
            self._comparison.build_handle()
        self.frame = self._frame
        """What the layers lie over."""
        self._frame.on("keydown", checked(self._on_key, str, bool), js_handler=KEYS_JS)
        with self._frame:
            self._image = ui.element("img").classes("imagined")
            self._image.props('alt="What the model imagines" draggable=false')
            self._comparison.build_pictures()
            self._signs = ui.html("", sanitize=False).classes("markers")
            self._nothing = ui.label().classes("nothing")

    def draw(self, state: State) -> None:
        """Show a state."""
        timeline = self._timeline
        plan = timeline.plan(state)
        timeline.ahead = min(timeline.ahead, timeline.horizon(state))
        self._title.set_content(html.escape(self._title_text(state)))
        self._hint.set_text(self._hint_text(state, plan))
        self._now.set_visibility(state.is_recorded and state.recording is None)
        self._now.set_enabled(state.can_start)
        self._draw_frame(state, plan)

    def _draw_frame(self, state: State, plan: Plan | None) -> None:
        timeline = self._timeline
        nothing = _why_nothing(state, plan)
        mode = self._mode(state, plan)
        self._nothing.set_text(nothing)
        self._nothing.set_visibility(bool(nothing))
        self._image.set_visibility(not nothing)
        self._viewport.classes(replace=f"viewport compare-{mode}")
        self._comparison.show(mode)
        first = timeline.first_frame(state)
        if first is None:
            return
        size = (first.shape[0], first.shape[1])
        self._viewport.style(shape_style(size))
        shown = (timeline.step, timeline.ahead, timeline.rank, timeline.preview)
        is_new = self._changes.changed(*state.run_shown, *shown, nothing, mode, state.frame)
        self._draw_signs(imagined_marks(state, plan, timeline.step), size)
        if plan is None or nothing or not is_new:
            return
        picture = first
        if timeline.ahead:
            picture = imagined(plan, timeline.ahead - 1, first, timeline.rank)
        self._image.props["src"] = data_url(picture)
        self._image.update()
        self._comparison.draw(mode, timeline.real_frame(state))

    def _draw_signs(self, marks: Marks, size: tuple[int, int]) -> None:
        if self._mark_changes.changed(marks, *size):
            self._signs.set_content(signs(marks, size))

    def _mode(self, state: State, plan: Plan | None) -> str:
        """Return how both frames are compared now."""
        can_compare = not self._why_no_comparison(state, plan)
        return self._comparison.mode if can_compare else SIDE_BY_SIDE

    def _why_no_comparison(self, state: State, plan: Plan | None) -> str:
        """Return why imagined and real frame cannot be laid over one another; "" if they can."""
        if plan is None or _why_nothing(state, plan):
            return "There is nothing to compare."
        if not plan.prediction.frames.shape[1]:
            return "This model imagines no frames: there is nothing to compare."
        if self._timeline.real_frame(state) is None:
            return "There is no real frame to compare with: the run has not come so far."
        return ""

    def _title_text(self, state: State) -> str:
        """Return who imagined what is shown, and when."""
        if self._timeline.preview is not None:
            return "Preview of a fan, nothing moves"
        if not len(state.plans) or not state.imagined_by:
            return "Imagined"
        if not state.is_recorded or state.recording is not None:
            return f"Imagined by {state.imagined_by}"
        when = "now" if state.is_imagined_now else "then"
        return f"Imagined {when} by {state.imagined_by}"

    def _hint_text(self, state: State, plan: Plan | None) -> str:
        if _why_nothing(state, plan):
            return ""
        why = self._why_no_comparison(state, plan)
        if self._comparison.mode != SIDE_BY_SIDE and why:
            return why
        if state.recording is not None:
            return prediction_hint(state, state.recording, self._timeline.ahead)
        if not self._timeline.ahead:
            return "The frame that the plan was made from."
        if self._timeline.has_happened(state):
            return "This has happened: compare with the scene."
        if state.is_recorded:
            return "The run ended before this."
        return "This has not happened (yet)."

    def _on_key(self, event: events.GenericEventArguments) -> None:
        if self._timeline.type(self._session.state, str(event.args[0])):
            self._redraw()


def _why_nothing(state: State, plan: Plan | None) -> str:
    """Return why there is nothing to show of what is imagined; nothing if there is something."""
    if plan is None and state.is_recorded:
        return "What was imagined then was not kept, or there is no more."
    if plan is None and state.status in MAKES_PLANS:
        return "The first plan is being made."
    if plan is None and state.recording is not None:
        return "Press Imagine to see what the model expects."
    if plan is None:
        return "Press Plan to see what the model expects."
    imagines = plan.prediction.frames.shape[1] or plan.prediction.pixel_maps.shape[2]
    return "" if imagines else f"{state.imagined_by or 'This controller'} imagines nothing."
