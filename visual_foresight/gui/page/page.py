"""The page: panels around one session.

It draws the session's state whenever that has changed, and nothing else.
"""

from pathlib import Path

from nicegui import ui

from visual_foresight.gui.page.prediction_panel import PredictionPanel
from visual_foresight.gui.page.scene_panel import ScenePanel
from visual_foresight.gui.page.settings_panel import SettingsPanel
from visual_foresight.gui.page.tabs_panel import TabsPanel
from visual_foresight.gui.page.timeline import Timeline
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Status

EVERY_S = 0.05
STYLES = Path(__file__).with_name("styles.css")
NOTE = "One robot, one session: every tab shows and steers the same one."


class Page:
    """One browser tab."""

    def __init__(self, session: Session) -> None:
        self._session, self._timeline, self._version = session, Timeline(), -1
        ui.add_css(STYLES)
        ui.colors(primary="#1f6feb", negative="#b42318")
        with ui.element("main").classes("page"):
            with ui.element("header").classes("top"):
                ui.html("Visual Foresight", sanitize=False, tag="h1")
                self._status = (
                    ui.label().classes("status").props("role=status aria-live=polite")
                )
                ui.element("div").classes("grow")
                ui.label(NOTE).classes("note")
                # Not `ui.dark_mode`: with every update it sets the theme anew, and the browser
                # paints the whole page again.
                themes = {"'auto'": "Auto", "false": "Light", "true": "Dark"}
                theme = ui.select(
                    themes,
                    value="'auto'",
                    on_change=lambda e: ui.run_javascript(f"Quasar.Dark.set({e.value})"),
                )
                theme.props('dense borderless options-dense aria-label="Theme"')
            settings = SettingsPanel(session)
            scene = ScenePanel(session, self._timeline, self.draw)
            prediction = PredictionPanel(session, self._timeline, self.draw)
            tabs = TabsPanel(session, self._timeline, settings.choose, self.draw)
        self._panels = (settings, scene, prediction, tabs)
        ui.timer(EVERY_S, self._refresh)

    def _refresh(self) -> None:
        if self._session.version != self._version:
            self.draw()

    def draw(self) -> None:
        """Draw the session's present state."""
        self._version = self._session.version
        state = self._session.state
        self._timeline.follow(state)
        done = (
            0 if state.trial is None or state.is_recorded else len(state.trial.episode.actions)
        )
        progress = (
            f", step {done} of {state.choice.num_steps}" if done and not state.is_idle else ""
        )
        self._status.set_text(
            "plan ready"
            if state.status is Status.PAUSED and state.is_free
            else state.status.value + progress
        )
        self._status.classes(replace="status" if state.is_idle else "status busy")
        for panel in self._panels:
            panel.draw(state)
