"""The tab of the run's progress: distance to the goal, and how long each plan took."""

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.charts import Chart
from visual_foresight.gui.page.timeline import Timeline
from visual_foresight.gui.session.state import State
from visual_foresight.types import PixelGoal


class ProgressTab:
    """Builds the tab and draws it."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._changes = ChangeDetector()
        with ui.element("div").classes("charts"):
            self._distance = Chart("Distance to the goal, by step", "cm", ["true"])
            self._seconds = Chart("Planning time, by step", "s", ["one plan"])

    def draw(self, state: State) -> None:
        """Show a state."""
        if not self._changes.changed(state.trial, state.pending, self._timeline.step):
            return
        distances_cm = _distances_cm(state)
        marked_step = self._timeline.step if distances_cm else None
        self._distance.draw({"true": distances_cm}, marked_step)
        seconds = [] if state.is_recorded else [plan.seconds for plan in state.plans]
        self._seconds.draw({"one plan": seconds})


def _distances_cm(state: State) -> list[float]:
    if state.trial is None or not isinstance(state.trial.goal, PixelGoal):
        return []
    return [100 * distance_m for distance_m in state.trial.distances_m]
