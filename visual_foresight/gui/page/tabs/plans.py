"""The tab of the plans: the best ones of a search, and how the search went."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.charts import Chart
from visual_foresight.gui.page.frames.pictures import data_url, prediction_picture
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.state import State
from visual_foresight.types import Plan

RANKS = ("best", "2nd", "3rd", "4th")


class PlansTab:
    """Builds the tab and draws it.

    Args:
        timeline: what this page shows of a run; a click on a plan chooses it there.
        redraw: draws the whole page now.
        choose_ahead: chooses how many actions ahead it shows.
    """

    def __init__(
        self,
        timeline: Timeline,
        redraw: Callable[[], None],
        choose_ahead: Callable[[int], None],
    ) -> None:
        self._timeline = timeline
        self._redraw = redraw
        self._changes = ChangeDetector()
        with ui.element("div").classes("plans"):
            self._thumbs = ui.element("div").classes("thumbs")
            with ui.element("div").classes("charts"):
                self._costs = Chart("Cost, by iteration of the search", "", ["best", "median"])
                self._lost = Chart(
                    "Lost pixel-map mass, by step ahead",
                    "",
                    ["lost"],
                    choose_ahead,
                    first_step=1,
                )

    def draw(self, state: State) -> None:
        """Show a state."""
        plan = self._timeline.plan(state)
        if not self._changes.changed(plan, self._timeline.rank):
            return
        self._costs.draw(costs_of(plan), unit=_cost_unit(state))
        self._lost.draw({"lost": lost_mass(plan)})
        self._draw_thumbs(state, plan)

    def _draw_thumbs(self, state: State, plan: Plan | None) -> None:
        """Show the best plans of the search's last iteration, each at its end."""
        self._thumbs.clear()
        if plan is None or state.trial is None or len(plan.prediction.pixel_maps) < 2:
            return
        frame = state.trial.episode.frames[self._timeline.step]
        last = len(plan.actions) - 1
        with self._thumbs:
            for rank, name in enumerate(RANKS[: len(plan.prediction.pixel_maps)]):
                thumb = ui.element("button").classes("thumb")
                if rank == self._timeline.rank:
                    thumb.classes("on")
                thumb.props(f'aria-label="Show the {name} plan"')
                thumb.on("click", lambda rank=rank: self._choose(rank))
                with thumb:
                    picture = prediction_picture(plan, last, frame, rank)
                    image = ui.element("img").props('alt=""')
                    image.props["src"] = data_url(picture)
                    ui.label(name)

    def _choose(self, rank: int) -> None:
        self._timeline.rank = rank
        self._redraw()


def costs_of(plan: Plan | None) -> dict[str, list[float]]:
    """Return the best and the median cost of the candidates, by iteration of the search."""
    costs = () if plan is None else plan.costs
    return {
        "best": [float(values.min()) for values in costs],
        "median": [float(values.median()) for values in costs],
    }


def lost_mass(plan: Plan | None) -> list[float]:
    """Return how much of a pixel map has left the frame, by step ahead: mean over the pixels."""
    if plan is None or not plan.prediction.lost.shape[-1]:
        return []
    return plan.prediction.lost[0].abs().mean(-1).tolist()


def _cost_unit(state: State) -> str:
    goal = state.goal if state.trial is None else state.trial.goal
    return "" if goal is None else goal.unit
