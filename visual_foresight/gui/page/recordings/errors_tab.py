"""The tab of the errors: how far what was imagined is from what was recorded, beside `still`."""

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.charts import Chart
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.state import State

PERSISTENCE = "still"
MODEL = "imagined"
NOT_COMPARED = "Imagine recorded actions to compare with what was recorded."
NO_PLACES = (
    "Designate a recorded point (marked in the frame) to compare places with the true ones, which "
    "no model sees."
)


class ErrorsTab:
    """Builds the tab and draws it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._changes = ChangeDetector()
        self._explanation = ui.label().classes("soft")
        with ui.element("div").classes("charts q-mt-sm") as self._charts:
            self._frames = Chart(
                "Difference of the frame (0 to 1), by step ahead", "", [MODEL, PERSISTENCE]
            )
            self._places = Chart(
                "Error of the place (truth: recorded), by step ahead",
                "px",
                [MODEL, PERSISTENCE],
            )

    def draw(self, state: State) -> None:
        """Show a state."""
        errors = None if state.recording is None else state.recording.errors
        ahead = self._timeline.ahead
        if not self._changes.changed(errors, ahead):
            return
        self._charts.set_visibility(errors is not None)
        if errors is None:
            self._explanation.set_text(NOT_COMPARED)
            return
        self._explanation.set_text("" if errors.place_px else NO_PLACES)
        self._frames.draw({MODEL: errors.frame, PERSISTENCE: errors.persistence_frame}, ahead)
        self._places.draw(
            {MODEL: errors.place_px, PERSISTENCE: errors.persistence_px},
            ahead if errors.place_px else None,
        )
