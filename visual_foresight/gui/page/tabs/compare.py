"""The tab of the comparison: a second model beside the first, on the same actions."""

import html
from collections.abc import Callable

from nicegui import ui

from visual_foresight.control.config import PERSISTENCE
from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.charts import Chart
from visual_foresight.gui.page.fields import select
from visual_foresight.gui.page.frames.pictures import data_url, prediction_picture, shape_style
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.tabs.score_table import score_table
from visual_foresight.gui.session.questions.compare import Comparison, one_step_ahead
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Frame, State
from visual_foresight.vision.drawing import Picture

EXPLANATION = (
    "Both models imagine the same actions: those of the plan that is ready, or else those that "
    "the shown run carried out."
)
HAPPENED = "what happened"


class CompareTab:
    """Builds the tab and draws it (arguments as in `CheckTab`)."""

    def __init__(
        self,
        session: Session,
        timeline: Timeline,
        apply_settings: Callable[[], bool],
        choose_step: Callable[[int], None],
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._apply_settings = apply_settings
        self._changes = ChangeDetector()
        self._offered: tuple[str, ...] = ()
        with ui.element("div").classes("buttons"):
            self._other = select("Compare with", [], None)
            self._other.classes("other-model")
            self._button = ui.button("Compare", on_click=self._on_click)
            self._button.props("outline dense padding='3px 12px'")
            self._text = ui.label(EXPLANATION).classes("soft").props("role=status")
        self._shown = ui.element("div").classes("compared q-mt-sm")
        with self._shown:
            with ui.element("div").classes("compared-frames"):
                self._pictures = [_Picture(), _Picture(), _Picture()]
            self._table = ui.html("", sanitize=False).classes("scores")
            self._table.props('tabindex=0 role=region aria-label="Scores by step ahead"')
        self._charts = ui.element("div").classes("charts q-mt-sm")
        with self._charts:
            names = ["first", "second", PERSISTENCE]
            self._pixel = Chart(
                "Error of the pixel one step ahead, by step", "px", names, choose_step
            )
            self._image = Chart(
                "Error of the frame one step ahead, by step", "", names, choose_step
            )

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Show a state."""
        if state.comparable_models != self._offered:
            self._offered = state.comparable_models
            self._offer(state)
        self._other.set_enabled(not state.is_view_only)
        self._button.set_enabled(
            state.can_start and (state.pending is not None or _has_run(state))
        )
        comparison = state.comparison
        step = self._timeline.step
        ahead = self._timeline.ahead
        if not self._changes.changed(comparison, step, ahead):
            return
        self._text.set_text(_sentence(comparison, step))
        is_shown = comparison is not None and comparison.index(step) is not None
        self._shown.set_visibility(is_shown)
        self._charts.set_visibility(comparison is not None and comparison.is_of_run)
        if comparison is None:
            return
        self._draw_charts(comparison, step)
        if is_shown:
            self._draw_frames(state, comparison, step, ahead)
            self._table.set_content(score_table(comparison, step, ahead))

    def _offer(self, state: State) -> None:
        """Offer the models of this world; the one that is chosen, or was compared, stays."""
        compared = state.comparison.models[1].name if state.comparison else ""
        models = [name for name in self._offered if name != state.settings.model]
        wished = [self._other.value, compared, *models]
        value = next((name for name in wished if name in self._offered), None)
        self._other.set_options(list(self._offered), value=value)

    def _draw_frames(self, state: State, comparison: Comparison, step: int, ahead: int) -> None:
        """Show what each model imagines so many actions ahead, and what happened."""
        index = comparison.index(step)
        recorded = () if state.trial is None else state.trial.episode.frames
        before = recorded[step] if step < len(recorded) else state.frame
        if index is None or before is None:
            return
        for picture, model in zip(self._pictures, comparison.models, strict=False):
            plan = model.plans[index]
            if not ahead:
                picture.draw(model.name, before, before)
            elif ahead <= len(plan.actions):
                imagined = prediction_picture(plan, ahead - 1, before)
                picture.draw(model.name, imagined, before)
            else:
                picture.draw(model.name, None, before)
        is_known = comparison.is_of_run and step + ahead < len(recorded)
        happened = recorded[step + ahead] if is_known else None
        self._pictures[-1].draw(HAPPENED, happened, before)

    def _draw_charts(self, comparison: Comparison, step: int) -> None:
        if not comparison.is_of_run:
            return
        first, second = comparison.models
        # Of two equal names, the second is the model that was chosen to compare with.
        other = second.name if second.name != first.name else f"{second.name} (2)"
        rest = (
            PERSISTENCE if PERSISTENCE not in (first.name, other) else f"{PERSISTENCE} (floor)"
        )
        for chart, field in ((self._pixel, "pixel_px"), (self._image, "image")):
            series = {
                first.name: one_step_ahead(first.scores, field),
                other: one_step_ahead(second.scores, field),
                rest: one_step_ahead(comparison.still, field),
            }
            chart.draw(series, step)

    # --- events -------------------------------------------------------------------------------

    def _on_click(self) -> None:
        if self._apply_settings() and self._other.value:
            self._session.compare(str(self._other.value))


class _Picture:
    """A frame under its title."""

    def __init__(self) -> None:
        with ui.element("figure").classes("compared-frame"):
            self._title = ui.html("", sanitize=False, tag="figcaption")
            self._frame = ui.element("div").classes("compared-picture")
            with self._frame:
                self._image = ui.element("img")
                self._nothing = ui.label("not there (yet)").classes("soft")

    def draw(self, title: str, picture: Picture | None, like: Frame) -> None:
        """Show a picture, or that there is none, in the shape of a frame."""
        self._title.set_content(html.escape(title))
        height, width, _ = like.shape
        self._frame.style(shape_style((height, width)))
        self._nothing.set_visibility(picture is None)
        self._image.set_visibility(picture is not None)
        if picture is None:
            return
        self._image.props["alt"] = title
        self._image.props["src"] = data_url(picture)
        self._image.update()


def _has_run(state: State) -> bool:
    return state.trial is not None and state.num_done > 0


def _sentence(comparison: Comparison | None, step: int) -> str:
    """Return what is compared, in one sentence."""
    if comparison is None:
        return EXPLANATION
    if comparison.index(step) is None:
        return (
            f"{comparison.names} imagined the plan of step {comparison.first_step}: go there."
        )
    if comparison.is_of_run:
        return f"{comparison.names} imagine the actions that followed step {step}."
    return f"{comparison.names} imagine the plan of step {step}; it is not carried out."
