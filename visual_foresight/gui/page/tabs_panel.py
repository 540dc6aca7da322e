"""The panel of the tabs, of which only the open one is drawn."""

from collections.abc import Callable
from typing import Protocol

from nicegui import ui

from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.recordings.errors_tab import ErrorsTab
from visual_foresight.gui.page.tabs.batch import BatchTab
from visual_foresight.gui.page.tabs.check import CheckTab
from visual_foresight.gui.page.tabs.compare import CompareTab
from visual_foresight.gui.page.tabs.fan import FanTab
from visual_foresight.gui.page.tabs.gallery.tab import RunsTab
from visual_foresight.gui.page.tabs.plans import PlansTab
from visual_foresight.gui.page.tabs.progress import ProgressTab
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State


class Tab(Protocol):
    """The content of one tab, built where it is made."""

    def draw(self, state: State) -> None:
        """Show a state."""
        ...


class TabsPanel:
    """Builds the tabs and draws the open one.

    Args:
        session: the one that all pages show.
        timeline: what this page shows of a run.
        apply_settings: hands the chosen settings to the session; tells whether they were valid.
        redraw: draws the whole page now.
    """

    def __init__(
        self,
        session: Session,
        timeline: Timeline,
        apply_settings: Callable[[], bool],
        redraw: Callable[[], None],
    ) -> None:
        builders: dict[str, Callable[[], Tab]] = {
            "Progress": lambda: ProgressTab(timeline, self._choose_frame),
            "Plans": lambda: PlansTab(timeline, redraw, self._choose_ahead),
            "Fan": lambda: FanTab(session, timeline, apply_settings, redraw),
            "Runs": lambda: RunsTab(session),
            "Batch": lambda: BatchTab(session, apply_settings),
            "Check": lambda: CheckTab(session, timeline, apply_settings, self._choose_action),
            "Compare": lambda: CompareTab(
                session, timeline, apply_settings, self._choose_action
            ),
        }
        if session.state.recording is not None:
            builders = {
                "Errors": lambda: ErrorsTab(timeline),
                "Plans": lambda: PlansTab(timeline, redraw, self._choose_ahead),
            }
        self._session = session
        self._timeline = timeline
        self._redraw = redraw
        self._contents: dict[str, Tab] = {}
        with ui.element("section").classes("card tabs"):
            with ui.tabs().props("dense align=left no-caps inline-label") as self._tabs:
                for title in builders:
                    ui.tab(title)
            panels = ui.tab_panels(self._tabs, value=next(iter(builders)))
            with panels.props("animated=false keep-alive").classes("w-full"):
                for title, build in builders.items():
                    with ui.tab_panel(title):
                        self._contents[title] = build()
        # Only now, because the page is not complete while the first tab is being opened.
        self._tabs.on_value_change(lambda: redraw())

    def draw(self, state: State) -> None:
        """Show a state in the open tab: drawing takes time from a search on the same machine."""
        self._contents[str(self._tabs.value)].draw(state)

    # --- what a click on a chart chooses on the timeline --------------------------------------

    def _choose_frame(self, index: int) -> None:
        """Show a frame of the run, and what was planned from it."""
        if index < len(self._session.state.plans):
            self._choose(index, 0)
        else:
            self._choose_action(index - 1)

    def _choose_action(self, step: int) -> None:
        """Show what came of an action, and what was imagined of it."""
        self._choose(step, 1 if step < len(self._session.state.plans) else 0)

    def _choose_ahead(self, ahead: int) -> None:
        self._choose(self._timeline.step, ahead)

    def _choose(self, step: int, ahead: int) -> None:
        self._timeline.choose(self._session.state, max(step, 0), ahead)
        self._redraw()
