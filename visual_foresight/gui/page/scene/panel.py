"""The panel of the scene: the camera's frame, on which a goal is made."""

from collections.abc import Callable
from pathlib import Path

from nicegui import events, ui

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.frames.pictures import data_url, markers, shape_style
from visual_foresight.gui.page.legend import build_legend
from visual_foresight.gui.page.links import copy_link
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.page.scene.goal_editor import GoalEditor
from visual_foresight.gui.page.scene.uploads import MAX_BYTES
from visual_foresight.gui.page.scene.verdict_line import VerdictLine
from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.guidance.example import EXAMPLE_GOAL, example
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Frame, State
from visual_foresight.types import Pixel

POINTER_JS = Path(__file__).with_name("pointer.js").read_text(encoding="utf-8")
TOUCH_JS = Path(__file__).with_name("touch.js").read_text(encoding="utf-8")
HOVER_JS = Path(__file__).with_name("hover.js").read_text(encoding="utf-8")
KEYS_JS = Path(__file__).with_name("keys.js").read_text(encoding="utf-8")
HOVER_EVERY_S = 0.1
"""How often the place of a pointer over the frame is sent, at most."""
UPLOAD_JS = Path(__file__).with_name("upload.js").read_text(encoding="utf-8")
CHOOSE_JS = "(event) => event.currentTarget.parentElement.querySelector('input').click()"
"""On a button beside a file field: opens the window in which a file is chosen."""
LONGEST_SENTENCE = 300
"""Letters of a refusal that a browser hands on, at most."""
DRAG_EVERY_S = 0.04
"""How often the place of a dragged marker is sent, at most."""
MOVE = "pair"
"""The tool that marks a pixel and where it is to go."""
KEEP = "keep"
"""The tool that marks a pixel that is to keep still."""
TOOLS = {MOVE: "Move a pixel", KEEP: "Keep still"}
ZOOMS = {"fit": "Fit", "zoom-4": "4x", "zoom-8": "8x", "zoom-12": "12x"}
"""Class of the viewport -> its name in the menu."""


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
            self._build_hint()
            self._verdict = VerdictLine(session, apply_settings)
            self._build_tools()
            build_legend()

    def _build_head(self) -> None:
        with ui.element("div").classes("head"):
            self._title = ui.html("", sanitize=False, tag="h2")
            ui.element("div").classes("grow")
            self._render = ui.switch("High resolution", on_change=self._on_high_resolution)
            self._render.props("dense size=sm")
            zoom = ui.select(
                ZOOMS,
                value="fit",
                on_change=lambda event: self._viewport.classes(
                    replace=f"viewport {event.value}"
                ),
            )
            zoom.props('dense borderless options-dense aria-label="Zoom"')

    def _build_frame(self) -> None:
        self._viewport = ui.element("div").classes("viewport")
        with self._viewport:
            self._frame = ui.element("div").classes("frame click")
        self.frame = self._frame
        """What the layers lie over."""
        self._frame.props(
            "tabindex=0 role=application "
            'aria-label="Scene: arrow keys move, Enter marks a pixel"'
        )
        with self._frame:
            self._image = ui.element("img")
            self._image.props('alt="What the camera sees" draggable=false')
            self._markers = ui.html("", sanitize=False).classes("markers")
        self._spoken = ui.label().classes("spoken").props("role=status aria-live=assertive")
        self._frame.on("pointerdown", self._on_press, js_handler=POINTER_JS)
        self._frame.on(
            "pointermove", self._on_drag, js_handler=POINTER_JS, throttle=DRAG_EVERY_S
        )
        self._frame.on("pointerup", self._on_release, js_handler=POINTER_JS)
        for event in ("pointermove", "pointerleave"):
            self._frame.on(event, self._on_hover, js_handler=HOVER_JS, throttle=HOVER_EVERY_S)
        self._frame.on("pointercancel", js_handler=POINTER_JS)
        self._frame.on("touchmove", js_handler=TOUCH_JS)
        self._frame.on("keydown", self._on_key, js_handler=KEYS_JS)

    def _build_hint(self) -> None:
        with ui.element("div").classes("head"):
            self._goal_image = ui.element("img").classes("goal-image")
            self._goal_image.props('alt="The goal image"')
            self._hint = ui.label().classes("hint").props("role=status")
            ui.element("div").classes("grow")
            self._place = ui.label().classes("place").props("aria-hidden=true")
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
            link = ui.button("Copy link", on_click=lambda: copy_link(self._session))
            link.props("flat dense")
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
        self._draw_markers(_shown_draft(state, index), _shown_frame(state, index))
        place = spoken_place(self._editor.cursor, self._session.describe_pixel)
        self._spoken.set_text(place)
        self._place.set_text(place)
        self._draw_goal_image(state)
        self._verdict.draw(state)
        self._title.set_content(
            "Scene" if is_live else f"Scene, as recorded after {index} actions"
        )
        remark = state.remark if is_live and state.image_goal is None else ""
        self._hint.set_text(_sentence(remark) or self._hint_text(state, is_live))
        self._hint.classes(replace="hint warning" if remark else "hint")
        self._render.set_visibility(state.can_render)
        self._render.set_enabled(state.can_start)
        # Another tab may have switched it, or this page was reloaded.
        self._render.set_value(state.render is not None)
        is_empty = not state.draft.pairs and state.image_goal is None
        self._example.set_visibility(is_live and is_empty and state.can_edit)
        self._close.set_visibility(state.is_recorded)
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
        self._frame.style(shape_style((height, width)))
        self._frame.classes(replace="frame click smooth" if is_render else "frame click")

    def _draw_markers(self, draft: Draft, frame: Frame | None) -> None:
        if frame is None:
            return
        cursor = self._editor.cursor
        height, width, _ = frame.shape
        if self._marker_changes.changed(draft.pairs, cursor, height, width):
            self._markers.set_content(markers(draft, cursor, (height, width)))

    def _draw_goal_image(self, state: State) -> None:
        self._goal_image.set_visibility(state.image_goal is not None)
        if state.image_goal is not None and self._goal_changes.changed(state.image_goal):
            self._goal_image.props["src"] = data_url(state.image_goal.shown())
            self._goal_image.update()

    def _hint_text(self, state: State, is_live: bool) -> str:
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
        key, has_shift = event.args
        if self._editor.type(str(key), bool(has_shift)):
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


def _sentence(remark: str) -> str:
    """Return a remark as a sentence of the page."""
    return f"{remark[:1].upper()}{remark[1:]}." if remark else ""


def spoken_place(cursor: Pixel | None, describe: Callable[[Pixel], str]) -> str:
    """Return what is said of the keyboard's cursor: its place, and what is there if known.

    Rows and columns are counted as everywhere on the page, from 0.
    """
    if cursor is None:
        return ""
    place = f"row {cursor.row:g}, column {cursor.col:g}"
    thing = describe(cursor)
    return f"{place}: {thing}" if thing else place


def _shown_frame(state: State, index: int | None) -> Frame | None:
    """Return the recorded frame of an index, or the present one."""
    if index is None or state.trial is None:
        return state.frame
    return state.trial.episode.frames[index]


def _shown_draft(state: State, index: int | None) -> Draft:
    """Return the pairs to draw: the draft, or those of the run with its pixels where they are."""
    trial = state.trial
    if trial is None or not trial.goal.targets:
        return state.draft
    if index is not None and trial.is_believed:
        places = trial.plans[index].sources if index < len(trial.plans) else ()
    elif index is not None:
        tracks = trial.episode.tracks[index]
        places = tuple(Pixel(float(row), float(col)) for row, col in tracks)
    elif state.pending is not None and len(trial.episode.actions):
        # A controller that imagines nothing looks for nothing: the judge says where it is.
        tracks = trial.episode.tracks[-1]
        judged = tuple(Pixel(float(row), float(col)) for row, col in tracks)
        places = state.pending.sources or judged
    else:
        return state.draft
    pairs = zip(places, trial.goal.targets, strict=False)
    return Draft(tuple(Pair(place, target) for place, target in pairs))
