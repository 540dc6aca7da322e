"""The tab of the model's check: where it expected pixel and frame, and where they were."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.charts import Chart
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State

# Names of the curves on the page.
ONE_STEP = "one step ahead"
FREE_RUNNING = "from the start"
PERSISTENCE = "frame before"


class CheckTab:
    """Builds the tab and draws it (arguments as in `TabsPanel`).

    Args:
        choose_step: chooses the action on the timeline that a chart was clicked at.
    """

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
        self._button = ui.button(
            "Compare with what the model imagines", on_click=self._on_click
        )
        self._button.props("outline dense padding='3px 12px'")
        self._explanation = ui.label(
            "Where the model expected the pixel and the frame of the shown run, "
            "and where they were."
        ).classes("soft q-mt-sm")
        self._charts = ui.element("div").classes("charts q-mt-sm")
        with self._charts:
            self._error = Chart(
                "Error of the designated pixel, by step",
                "px",
                [ONE_STEP, FREE_RUNNING],
                choose_step,
            )
            self._psnr = Chart(
                "PSNR of the frame, by step",
                "dB",
                [ONE_STEP, FREE_RUNNING, PERSISTENCE],
                choose_step,
            )

    def _on_click(self) -> None:
        if self._apply_settings():
            self._session.check()

    def draw(self, state: State) -> None:
        """Show a state."""
        self._button.set_enabled(state.can_start)
        check = state.check
        step = self._timeline.step
        if not self._changes.changed(check, step):
            return
        self._explanation.set_visibility(check is None)
        self._charts.set_visibility(check is not None)
        if check is None:
            return
        self._error.draw(
            {ONE_STEP: check.one_step_px, FREE_RUNNING: check.free_running_px}, step
        )
        self._psnr.draw(
            {
                ONE_STEP: check.one_step_db,
                FREE_RUNNING: check.free_running_db,
                PERSISTENCE: check.persistence_db,
            },
            step,
        )
