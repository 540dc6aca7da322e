"""The tab of the run's progress: distance to the goal, and how long each plan took."""

from collections.abc import Callable
from typing import NamedTuple

from nicegui import ui

from visual_foresight.control.judge import SUCCESS_M
from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.charts import Chart
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.ongoing_trial import SECONDS
from visual_foresight.gui.session.state import State

CM = "cm"
TRUE = "true"
BELIEVED = "believed by the locator"


class ProgressTab:
    """Builds the tab and draws it.

    Args:
        timeline: what this page shows of a run.
        choose_step: chooses the step there that a chart was clicked at.
    """

    def __init__(self, timeline: Timeline, choose_step: Callable[[int], None]) -> None:
        self._timeline = timeline
        self._changes = ChangeDetector()
        with ui.element("div").classes("charts"):
            self._distance = Chart("Distance to the goal, by step", CM, [TRUE], choose_step)
            self._seconds = Chart("Planning time, by step", "s", ["one plan"], choose_step)

    def draw(self, state: State) -> None:
        """Show a state."""
        if not self._changes.changed(*state.run_shown, self._timeline.step):
            return
        shown = _distances(state)
        marked_step = self._timeline.step if shown.values else None
        level = 100 * SUCCESS_M if shown.values and shown.unit == CM else None
        self._distance.draw({shown.name: shown.values}, marked_step, shown.unit, level)
        self._seconds.draw({"one plan": _seconds(state)}, marked_step)


class Distances(NamedTuple):
    """What the chart of distances shows."""

    name: str
    """Whose distances: true ones, or those that the locator believes."""
    values: list[float]
    unit: str


def _distances(state: State) -> Distances:
    """Return the distances in cm, or by the goal's own measure where metres are not known."""
    trial = state.trial
    if trial is None:
        return Distances(TRUE, [], CM)
    name = BELIEVED if trial.is_believed else TRUE
    if not trial.distances_m:
        return Distances(name, list(trial.distances), trial.goal.unit)
    return Distances(name, [100 * distance_m for distance_m in trial.distances_m], CM)


def _seconds(state: State) -> list[float]:
    """Return how long each plan took; older runs did not keep it."""
    return [] if state.trial is None else list(state.trial.episode.meta.get(SECONDS, []))
