"""The panel of the tabs, of which only the open one is drawn."""

from collections.abc import Callable
from typing import Protocol

from nicegui import ui

from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.recordings.errors_tab import ErrorsTab
from visual_foresight.gui.page.tabs.batch import BatchTab
from visual_foresight.gui.page.tabs.check import CheckTab
from visual_foresight.gui.page.tabs.fan import FanTab
from visual_foresight.gui.page.tabs.plans import PlansTab
from visual_foresight.gui.page.tabs.progress import ProgressTab
from visual_foresight.gui.page.tabs.runs import RunsTab
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
            "Progress": lambda: ProgressTab(timeline),
            "Plans": lambda: PlansTab(timeline, redraw),
            "Fan": lambda: FanTab(session, timeline, apply_settings, redraw),
            "Runs": lambda: RunsTab(session),
            "Batch": lambda: BatchTab(session, apply_settings),
            "Check": lambda: CheckTab(session, apply_settings),
        }
        if session.state.recording is not None:
            builders = {
                "Errors": lambda: ErrorsTab(timeline),
                "Plans": lambda: PlansTab(timeline, redraw),
            }
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
