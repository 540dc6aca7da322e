"""The page: panels around one session, drawn again whenever its state has changed."""

from pathlib import Path

from nicegui import events, ui

from visual_foresight.gui.page.frames.zoom import ZOOM_JS
from visual_foresight.gui.page.layers.panel import LayersPanel
from visual_foresight.gui.page.links import open_link
from visual_foresight.gui.page.pace import Pace
from visual_foresight.gui.page.prediction.comparison import COMPARISON_JS
from visual_foresight.gui.page.prediction.panel import PredictionPanel
from visual_foresight.gui.page.prediction.scrub_row import ScrubRow
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.recordings.panel import RecordingPanel
from visual_foresight.gui.page.scene.panel import ScenePanel
from visual_foresight.gui.page.settings_panel import SettingsPanel
from visual_foresight.gui.page.tabs_panel import TabsPanel
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State, Status

REFRESH_EVERY_S = 0.05
FOLDER = Path(__file__).parent
STYLES = (
    "styles.css",
    "frames/frames.css",
    "prediction/prediction.css",
    "layers/layers.css",
    "recordings/recordings.css",
    "top.css",
)
"""In their order: of equally strong rules the later one counts."""
CONNECTION_JS = Path(__file__).with_name("connection.js").read_text(encoding="utf-8")
NOTE = "One robot, one session: every tab shows and steers the same one."
NOTE_ON_DATA = "Recorded data: nothing moves. Every tab shows the same."
LANGUAGE = "<script>document.documentElement.lang = 'en'</script>"
"""The toolkit's page does not say its language, which decides how it is read aloud."""
TO_FRAME = """(event) => {
  event.preventDefault();
  document.querySelector(".frame.click").focus();
}"""
"""On the link that skips the settings."""
LOST = (
    "No connection: this page shows what was, and steers nothing. The robot may still move: "
    "see to it."
)
MOVING = (Status.PLANNING, Status.RUNNING)
"""What Escape and Space stop."""
THEMES = {"'auto'": "Auto", "false": "Light", "true": "Dark"}
"""What Quasar's `Dark.set` is called with -> its name in the menu."""


class Page:
    """What one browser tab shows.

    Args:
        session: the one that all pages show, or what stands before it for a page that looks on.
        is_view_only: whether this page steers nothing.
    """

    def __init__(self, session: Session, is_view_only: bool = False) -> None:
        self._session = session
        self._timeline = Timeline()
        self._pace = Pace()
        self._version = -1
        for name in STYLES:
            ui.add_css(FOLDER / name)
        ui.add_head_html(LANGUAGE)
        for script in (CONNECTION_JS, ZOOM_JS, COMPARISON_JS):
            ui.add_body_html(f"<script>{script}</script>")
        ui.colors(primary="#1f6feb", negative="#b42318")
        with ui.element("main").classes("page view-only" if is_view_only else "page"):
            self._build_top(is_view_only)
            desk = None if session.state.recording is None else session.recordings
            settings = SettingsPanel(session) if desk is None else RecordingPanel(session, desk)
            scene = ScenePanel(session, self._timeline, settings.apply, self.draw)
            prediction = PredictionPanel(session, self._timeline, self.draw)
            scrub_row = ScrubRow(session, self._timeline, self.draw)
            with scrub_row.card:
                layers = LayersPanel(
                    session, self._timeline, self.draw, scene.frame, prediction.frame
                )
            tabs = TabsPanel(session, self._timeline, settings.apply, self.draw)
        self._panels = (settings, scene, prediction, scrub_row, layers, tabs)
        ui.timer(REFRESH_EVERY_S, self._refresh)
        request = ui.context.client.request
        open_link(session, {} if request is None else request.query_params)

    def _build_top(self, is_view_only: bool) -> None:
        with ui.element("header").classes("top") as top:
            skip = ui.element("a").classes("skip").props('href="#frame"')
            skip.on("click", js_handler=TO_FRAME)
            with skip:
                ui.html("Skip to the frame", sanitize=False, tag="span")
            ui.html("Visual Foresight", sanitize=False, tag="h1")
            self._status = ui.label().classes("status").props("role=status aria-live=polite")
            ui.label("no connection").classes("status offline")
            if is_view_only:
                ui.label("view only").classes("status looks-on")
            ui.element("div").classes("grow")
            is_world = self._session.state.recording is None
            ui.label(NOTE if is_world else NOTE_ON_DATA).classes("note")
            theme = ui.select(THEMES, value="'auto'", on_change=_set_theme)
            theme.props('dense borderless options-dense aria-label="Theme"')
            self._stop = ui.button("Stop", icon="stop", on_click=self._session.stop)
            self._stop.props("unelevated color=negative").classes("stop")
            ui.label(LOST).classes("banner").props("role=alert")
        top.on("halt", self._halt)  # a key, see `connection.js`

    def _halt(self) -> None:
        """Stop what moves, or is about to; a plan that is ready stays."""
        if self._session.state.status in MOVING:
            self._session.stop()

    def _refresh(self) -> None:
        if self._session.version != self._version:
            self.draw()

    def draw(self) -> None:
        """Draw the session's present state."""
        self._version = self._session.version
        state = self._session.state
        self._timeline.follow(state)
        self._pace.follow(state)
        self._status.set_text(_status_text(state, self._pace))
        can_stop = state.status in (*MOVING, Status.WORKING, Status.PAUSED)
        self._stop.set_enabled(can_stop and not state.is_view_only)
        self._status.classes(replace="status" if state.is_idle else "status busy")
        for panel in self._panels:
            panel.draw(state)


def _set_theme(event: events.ValueChangeEventArguments) -> None:
    # `ui.dark_mode` would set the theme anew with every update of the page, and the browser would
    # paint all of it again.
    ui.run_javascript(f"Quasar.Dark.set({event.value})")


def _status_text(state: State, pace: Pace) -> str:
    if state.is_compiling:
        return f"{state.status.value}: compiling, once after an installation"
    if state.status is Status.PAUSED and state.is_editable:
        return "plan ready"
    progress = pace.text(state)
    return f"{state.status.value}, {progress}" if progress else state.status.value
