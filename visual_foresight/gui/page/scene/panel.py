"""The panel of the scene: the camera's frame, on which a goal is made."""

from collections.abc import Callable
from pathlib import Path

from nicegui import events, ui

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.page.arguments import checked
from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.marks import Marks, scene_marks
from visual_foresight.gui.page.frames.pictures import data_url, markers, shape_style, signs
from visual_foresight.gui.page.frames.zoom import build_zoom
from visual_foresight.gui.page.legend import build_legend
from visual_foresight.gui.page.links import copy_link
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.recordings.texts import scene_hint, scene_title
from visual_foresight.gui.page.scene.goal_editor import GoalEditor
from visual_foresight.gui.page.scene.spoken import spoken_hold, spoken_place
from visual_foresight.gui.page.scene.uploads import MAX_BYTES
from visual_foresight.gui.page.scene.verdict_line import VerdictLine
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.guidance.example import EXAMPLE_GOAL, example
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Frame, State

POINTER_JS = Path(__file__).with_name("pointer.js").read_text(encoding="utf-8")
TOUCH_JS = Path(__file__).with_name("touch.js").read_text(encoding="utf-8")
HOVER_JS = Path(__file__).with_name("hover.js").read_text(encoding="utf-8")
KEYS_JS = (Path(__file__).parents[1] / "frames" / "keys.js").read_text(encoding="utf-8")
HOVER_EVERY_S = 0.1
"""How often the place of a pointer over the frame is sent, at most."""
UPLOAD_JS = Path(__file__).with_name("upload.js").read_text(encoding="utf-8")
CHOOSE_JS = "(event) => event.currentTarget.parentElement.querySelector('input').click()"
"""On a button beside a file field: opens the window in which a file is chosen."""
LONGEST_SENTENCE = 300
"""Letters of a refusal that a browser hands on, at most."""
DRAG_EVERY_S = 0.04
"""How often the place of a dragged marker is sent, at most."""
KEYS_SPOKEN = (
    "arrow keys move, Enter marks a pixel or takes hold of a marker, Page Up and Page Down step "
    "the run, plus and minus zoom"
)
MOVE = "pair"
"""The tool that marks a pixel and where it is to go."""
KEEP = "keep"
"""The tool that marks a pixel that is to keep still."""
TOOLS = {MOVE: "Move a pixel", KEEP: "Keep still"}


class ScenePanel:
    """Builds the panel and draws it.

    Args:
        session: the one that all pages show.
        timeline: what this page shows of a run.
        apply_settings: tells whether the chosen settings can be used.
        redraw: draws the whole page now, so that a click is answered at once.
    """

    def __init__(
        self,
        session: Session,
        timeline: Timeline,
        apply_settings: Callable[[], bool],
        redraw: Callable[[], None],
    ) -> None:
        self._session = session
        self._timeline = timeline
        self._redraw = redraw
        self._editor = GoalEditor(session, timeline)
        self._frame_changes = ChangeDetector()
        self._marker_changes = ChangeDetector()
        self._goal_changes = ChangeDetector()
        with ui.element("section").classes("card scene"):
            self._build_head()
            self._build_frame()
            self._build_hint(apply_settings)
            self._build_tools()
            with ui.element("div").classes("notes"):
                build_legend()
                self._place = ui.label().classes("place").props("aria-hidden=true")

    def _build_head(self) -> None:
        with ui.element("div").classes("head"):
            self._title = ui.html("", sanitize=False, tag="h2")
            ui.element("div").classes("grow")
            self._render = ui.switch("High resolution", on_change=self._on_high_resolution)
            self._render.props("dense size=sm")
            self._link = ui.button(icon="link", on_click=lambda: copy_link(self._session))
            self._link.props('flat dense aria-label="Copy link"').tooltip("Copy a link to this")
            build_zoom()

    def _build_frame(self) -> None:
        self._viewport = ui.element("div").classes("viewport")
        with self._viewport:
            self._frame = ui.element("div").classes("frame click")
        self.frame = self._frame
        """What the layers lie over."""
        self._frame.props(f'tabindex=0 role=application aria-label="Scene: {KEYS_SPOKEN}"')
        with self._frame:
            self._image = ui.element("img")
            self._image.props('alt="What the camera sees" draggable=false')
            self._markers = ui.html("", sanitize=False).classes("markers")
        self._spoken = ui.label().classes("spoken").props("role=status aria-live=assertive")
        on_press = checked(self._on_press, float, float, bool)
        on_drag = checked(self._on_drag, float, float, bool)
        on_release = checked(self._on_release, float, float, bool)
        on_hover = checked(self._on_hover, float, float)
        self._frame.on("pointerdown", on_press, js_handler=POINTER_JS)
        self._frame.on("pointermove", on_drag, js_handler=POINTER_JS, throttle=DRAG_EVERY_S)
        self._frame.on("pointerup", on_release, js_handler=POINTER_JS)
        for event in ("pointermove", "pointerleave"):
            self._frame.on(event, on_hover, js_handler=HOVER_JS, throttle=HOVER_EVERY_S)
        self._frame.on("pointercancel", js_handler=POINTER_JS)
        self._frame.on("touchmove", js_handler=TOUCH_JS)
        self._frame.on("keydown", checked(self._on_key, str, bool), js_handler=KEYS_JS)

    def _build_hint(self, apply_settings: Callable[[], bool]) -> None:
        with ui.element("div").classes("head"):
            self._goal_image = ui.element("img").classes("goal-image")
            self._goal_image.props('alt="The goal image"')
            self._hint = ui.label().classes("hint").props("role=status")
            self._verdict = VerdictLine(self._session, apply_settings)
            self._example = ui.button("Try an example", on_click=self._on_example)
            self._example.props("outline dense no-wrap padding='3px 10px'")
            self._close = ui.button(
                "Back to the scene", on_click=self._session.close_recording
            ).props("flat dense")

    def _build_tools(self) -> None:
        with ui.element("div").classes("buttons"):
            self._tool = ui.toggle(TOOLS, value=MOVE, on_change=self._on_tool)
            self._tool.props("dense no-caps unelevated padding='3px 10px' toggle-color=primary")
            self._undo = ui.button("Undo", on_click=self._session.undo).props("flat dense")
            self._clear = ui.button("Clear", on_click=lambda: self._session.edit(Draft()))
            self._clear.props("flat dense")
            self._use_image = ui.button("Goal image", icon="image").props("flat dense")
            with self._use_image, ui.menu(), ui.column().classes("q-pa-sm"):
                use_frame = ui.button("Use this frame", on_click=self._on_use_frame)
                use_frame.props("flat dense")
                choose = ui.button("Upload a picture").props("flat dense")
                choose.on("click", js_handler=CHOOSE_JS)
                # Not `ui.upload`: its route would keep each page for ever.
                upload = ui.element("input").props('type=file accept="image/*"')
                upload.classes("hidden").props('aria-label="Upload a picture"')
                upload.on(
                    "change",
                    self._on_refused,
                    js_handler=UPLOAD_JS.replace("MAX_BYTES", str(MAX_BYTES)),
                )

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Show a state."""
        index = self._timeline.frame_index(state)
        is_live = index is None
        self._draw_frame(state, index)
        marks = scene_marks(state, index)
        self._draw_markers(marks, _shown_frame(state, index))
        cursor = self._editor.cursor
        place = spoken_place(cursor, self._session.describe_pixel, marks.draft)
        self._spoken.set_text(spoken_hold(place, self._editor.in_hand))
        self._place.set_text(place)
        self._draw_goal_image(state)
        self._verdict.draw(state)
        self._title.set_content(_title_text(state, index))
        remark = state.remark if is_live and state.image_goal is None else ""
        self._hint.set_text(_sentence(remark) or self._hint_text(state, is_live))
        self._hint.classes(**{"add" if remark else "remove": "warning"})
        self._hint.set_visibility(bool(remark) or not self._verdict.is_shown)
        self._render.set_visibility(state.can_render)
        self._render.set_enabled(state.can_start)
        # Another tab may have switched it, or this page was reloaded.
        self._render.set_value(state.render is not None)
        is_empty = not state.draft.pairs and state.image_goal is None
        is_world = state.recording is None
        is_first = is_live and is_empty and not self._verdict.is_shown
        self._example.set_visibility(is_world and is_first and state.can_edit)
        self._close.set_visibility(is_world and state.is_recorded)
        self._link.set_visibility(is_world)
        for element in (self._clear, self._tool):
            element.set_enabled(state.can_edit)
        self._use_image.set_enabled(not state.is_view_only)
        self._undo.set_enabled(state.can_edit and state.can_undo)

    def _draw_frame(self, state: State, index: int | None) -> None:
        is_render = index is None and state.render is not None
        frame = _shown_frame(state, index)
        picture = state.render if is_render else frame
        source = picture if index is None else state.trial
        if frame is None or picture is None:
            return
        if not self._frame_changes.changed(source, index):
            return
        self._image.props["src"] = data_url(picture)
        self._image.update()
        height, width, _ = frame.shape
        self._viewport.style(shape_style((height, width)))
        self._frame.classes(replace="frame click smooth" if is_render else "frame click")

    def _draw_markers(self, marks: Marks, frame: Frame | None) -> None:
        if frame is None:
            return
        cursor = self._editor.cursor
        height, width, _ = frame.shape
        if not self._marker_changes.changed(marks, cursor, height, width):
            return
        draft = Draft() if marks.is_past else marks.draft
        drawn = markers(draft, cursor, (height, width), marks.points)
        if marks.is_past or marks.targets:
            drawn += signs(marks, (height, width))
        self._markers.set_content(drawn)

    def _draw_goal_image(self, state: State) -> None:
        self._goal_image.set_visibility(state.image_goal is not None)
        if state.image_goal is not None and self._goal_changes.changed(state.image_goal):
            self._goal_image.props["src"] = data_url(state.image_goal.shown())
            self._goal_image.update()

    def _hint_text(self, state: State, is_live: bool) -> str:
        if state.recording is not None:
            keeps_still = self._editor.keeps_still
            return scene_hint(state, state.recording, is_live, keeps_still)
        if not is_live and state.is_recorded:
            return "A recording."
        if state.is_view_only:
            return "This page looks on and steers nothing."
        if not is_live:
            return "An earlier frame: move the sliders to the end to make a goal."
        if state.image_goal is not None:
            return "The goal is an image. Undo or Clear takes it back."
        if not state.is_editable:
            return "A run is under way: Stop ends it."
        if state.draft.goal is not None:
            return "Plan, run, or click another pixel. Drag a marker to move it."
        if self._editor.keeps_still:
            return "Click what is to keep still."
        if state.draft.is_open:
            return "Now click where it is to go."
        return "Drag an object to where it is to go, or click both places."

    # --- events -------------------------------------------------------------------------------

    def _on_press(self, event: events.GenericEventArguments) -> None:
        x, y, _ = event.args
        if self._editor.press(float(x), float(y)):
            self._redraw()

    def _on_drag(self, event: events.GenericEventArguments) -> None:
        x, y, _ = event.args
        if self._editor.drag(float(x), float(y)):
            self._redraw()

    def _on_release(self, event: events.GenericEventArguments) -> None:
        x, y, has_moved = event.args
        if self._editor.release(float(x), float(y), bool(has_moved)):
            self._redraw()

    def _on_key(self, event: events.GenericEventArguments) -> None:
        name, has_shift = event.args
        key = str(name)
        moves_on = self._timeline.type(self._session.state, key)
        if moves_on or self._editor.type(key, bool(has_shift)):
            self._redraw()

    def _on_hover(self, event: events.GenericEventArguments) -> None:
        """Say what the pointer is over; nothing else of the page changes."""
        x, y = event.args
        pixel = self._editor.pixel(float(x), float(y))
        self._place.set_text(spoken_place(pixel, self._session.describe_pixel))

    def _on_example(self) -> None:
        self._session.reset(example(self._session.state.settings), EXAMPLE_GOAL)

    def _on_tool(self, event: events.ValueChangeEventArguments) -> None:
        self._editor.keeps_still = event.value == KEEP
        self._redraw()

    def _on_high_resolution(self, event: events.ValueChangeEventArguments) -> None:
        is_on = bool(event.value)
        if is_on != (self._session.state.render is not None):
            self._session.set_high_resolution(is_on)

    def _on_use_frame(self) -> None:
        state = self._session.state
        frame = _shown_frame(state, self._timeline.frame_index(state))
        if frame is not None:
            self._session.set_goal_image(ImageGoal(frame))

    def _on_refused(self, event: events.GenericEventArguments) -> None:
        """Say why the server did not take a picture."""
        self._session.show_message(str(event.args)[:LONGEST_SENTENCE].strip(), is_error=True)


def _title_text(state: State, index: int | None) -> str:
    """Return what the frame of an index is, or the present one."""
    if state.recording is not None:
        return scene_title(state.recording, index)
    if index is None:
        return "Scene"
    return f"Scene, as recorded after {index} action{'' if index == 1 else 's'}"


def _sentence(remark: str) -> str:
    """Return a remark as a sentence of the page."""
    return f"{remark[:1].upper()}{remark[1:]}." if remark else ""


def _shown_frame(state: State, index: int | None) -> Frame | None:
    """Return the recorded frame of an index, or the present one."""
    if index is None or state.trial is None:
        return state.frame
    return state.trial.episode.frames[index]
