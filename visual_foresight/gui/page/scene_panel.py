"""The panel of the scene.

The camera's frame, on which a goal is made by clicking, dragging or with the keyboard.
"""

import asyncio
from collections.abc import Callable

from nicegui import events, ui

from visual_foresight.gui.page.pictures import SIDE, address, markers
from visual_foresight.gui.page.timeline import Memory, Timeline
from visual_foresight.gui.page.view import moved, to_pixel
from visual_foresight.gui.server.uploads import MAX_BYTES, read_picture
from visual_foresight.gui.session.goals import Draft, Handle, Pair
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.types import Pixel, PixelGoal, UserError

REACH_PX = 2.0
"""How near to a marker a press takes hold of it."""
FAST_PX = 8
POINT = """(e) => {
  const at = e.currentTarget, box = at.getBoundingClientRect();
  if (e.type === "pointermove" && !e.buttons) return;
  if (e.type === "pointerdown") { if (e.button) return; at.setPointerCapture(e.pointerId); }
  emit((e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height);
}"""
KEYS = """(e) => {
  if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Enter", " ", "Backspace", "Escape"].includes(e.key)) return;
  e.preventDefault(); emit(e.key, e.shiftKey);
}"""
HINTS = {
    "pair": ("Click a pixel on an object.", "Now click where it is to go."),
    "keep": ("Click what is to keep still.", "Click what is to keep still."),
}


class ScenePanel:
    """Builds the panel and draws it.

    Args:
        session: the one that all pages show.
        moment: what this page looks at.
        redraw: draws the whole page at once, so that a click is answered at once.
    """

    def __init__(
        self, session: Session, timeline: Timeline, redraw: Callable[[], None]
    ) -> None:
        self._session, self._timeline, self._redraw = session, timeline, redraw
        self._handle: Handle | None = None
        self._is_fresh = False  # a marker was taken hold of and has not moved yet
        self._cursor: Pixel | None = None
        self._seen, self._marked, self._aimed = Memory(), Memory(), Memory()
        with ui.element("section").classes("card scene"):
            with ui.element("div").classes("head"):
                self._title = ui.html("", sanitize=False, tag="h2")
                ui.element("div").classes("grow")
                self._large = ui.switch("High resolution", on_change=self._enlarge).props(
                    "dense size=sm"
                )
                zooms = {"fit": "Fit", "zoom-4": "4x", "zoom-8": "8x", "zoom-12": "12x"}
                zoom = ui.select(zooms, value="fit", on_change=lambda e: self._zoom(e.value))
                zoom.props('dense borderless options-dense aria-label="Zoom"')
            self._viewport = ui.element("div").classes("viewport")
            with self._viewport:
                self._frame = ui.element("div").classes("frame click")
                self._frame.props(
                    'tabindex=0 role=application aria-label="Scene: arrow keys move, Enter marks a pixel"'
                )
                with self._frame:
                    self._image = ui.element("img").props(
                        'alt="What the camera sees" draggable=false'
                    )
                    self._over = ui.html("", sanitize=False).classes("over")
            self._listen()
            with ui.element("div").classes("head"):
                self._goal_image = (
                    ui.element("img").classes("goal-image").props('alt="The goal image"')
                )
                self._hint = ui.label().classes("hint")
                ui.element("div").classes("grow")
                self._leave = ui.button("Back to the scene", on_click=session.leave).props(
                    "flat dense"
                )
            self._tools()

    def _listen(self) -> None:
        self._frame.on("pointerdown", self._pressed, js_handler=POINT)
        self._frame.on("pointermove", self._dragged, js_handler=POINT, throttle=0.04)
        self._frame.on("pointerup", self._released, js_handler=POINT)
        self._frame.on("keydown", self._typed, js_handler=KEYS)

    def _tools(self) -> None:
        with ui.element("div").classes("buttons"):
            self._tool = ui.toggle(
                {"pair": "Move a pixel", "keep": "Keep still"},
                value="pair",
                on_change=self._redraw,
            )
            self._tool.props("dense no-caps unelevated padding='3px 10px' toggle-color=primary")
            self._undo = ui.button("Undo", on_click=self._session.undo).props("flat dense")
            self._clear = ui.button(
                "Clear", on_click=lambda: self._session.edit(Draft())
            ).props("flat dense")
            with (
                ui.button("Goal image", icon="image").props("flat dense"),
                ui.menu(),
                ui.column().classes("q-pa-sm"),
            ):
                ui.button("Use this frame", on_click=self._use_frame).props("flat dense")
                upload = ui.upload(
                    label="Upload a picture", auto_upload=True, max_file_size=MAX_BYTES
                )
                upload.props("flat dense accept=image/*").classes("upload")
                upload.on_upload(self._uploaded)
                upload.on(
                    "rejected",
                    lambda: self._session.tell(
                        "the picture is too large: choose a smaller one", True
                    ),
                )

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Show a state."""
        number, trial = self._timeline.frame(state), state.trial
        live = number is None
        frame = (
            (state.large if state.large is not None else state.frame)
            if live
            else trial.episode.frames[number]
        )  # type: ignore[union-attr, index]
        if frame is not None and self._seen.differs(frame, number if trial else None):
            self._image.props["src"] = address(frame)
            self._image.update()
            self._frame.classes(replace="frame click" + " smooth" * (frame is state.large))
        self._title.set_content(
            "ScenePanel" if live else f"Scene, as recorded after {number} actions"
        )
        self._large.set_visibility(state.can_enlarge)
        self._large.set_enabled(state.is_idle)
        # another tab, or a reload, may have found it so
        self._large.set_value(state.large is not None)
        draft = _shown(state, number)
        if state.frame is not None and self._marked.differs(draft.pairs, self._cursor):
            size = (state.frame.shape[0], state.frame.shape[1])
            content = (
                f'<svg viewBox="0 0 {SIDE} {SIDE}">{markers(draft, self._cursor, size)}</svg>'
            )
            self._over.set_content(content)
        self._hint.set_text(self._hinted(state, live))
        self._leave.set_visibility(state.is_recorded)
        self._goal_image.set_visibility(state.image_goal is not None)
        if state.image_goal is not None and self._aimed.differs(state.image_goal):
            self._goal_image.props["src"] = address(state.image_goal)
            self._goal_image.update()
        for button in (self._undo, self._clear, self._tool):
            button.set_enabled(state.is_free)

    def _hinted(self, state: State, live: bool) -> str:
        if not live:
            return (
                "A recording."
                if state.is_recorded
                else "An earlier frame: move the sliders to the end to make a goal."
            )
        if state.image_goal is not None:
            return "The goal is an image. Undo brings the pixels back."
        if not state.is_free:
            return "A run is under way: Stop ends it."
        if not state.draft.is_open and state.draft.goal is not None:
            return "Plan, run, or click another pixel. Drag a marker to move it."
        return HINTS[str(self._tool.value)][state.draft.is_open]

    def _zoom(self, name: str) -> None:
        self._viewport.classes(replace=f"viewport {name}")

    # --- making a goal ------------------------------------------------------------------------

    def _pixel(self, event: events.GenericEventArguments) -> Pixel | None:
        """Return the pixel of a pointer event.

        None outside the frame, and while it cannot be changed.
        """
        state = self._session.state
        if state.frame is None or not state.is_free or self._timeline.frame(state) is not None:
            return None
        x, y = event.args
        return to_pixel(float(x), float(y), (state.frame.shape[0], state.frame.shape[1]))

    def _pressed(self, event: events.GenericEventArguments) -> None:
        pixel, draft = self._pixel(event), self._session.state.draft
        self._cursor = None
        if pixel is None:
            return
        self._handle = draft.handle_at(pixel, REACH_PX)
        self._is_fresh = self._handle is not None
        if self._handle is None:
            self._mark(pixel)
            self._handle = self._session.state.draft.handle_at(pixel, 0)
        self._redraw()

    def _dragged(self, event: events.GenericEventArguments) -> None:
        pixel = self._pixel(event)
        draft = self._session.state.draft
        if (
            pixel is not None
            and self._handle is not None
            and self._handle.index < len(draft.pairs)
        ):
            changed = draft.dragged(self._handle, pixel)
            if changed != draft:
                self._session.edit(changed, remember=self._is_fresh)
                self._is_fresh = False
                self._redraw()

    def _released(self, event: events.GenericEventArguments) -> None:
        self._dragged(event)
        self._handle = None

    def _mark(self, pixel: Pixel) -> None:
        draft = self._session.state.draft
        self._session.edit(
            draft.kept(pixel) if self._tool.value == "keep" else draft.clicked(pixel)
        )

    def _typed(self, event: events.GenericEventArguments) -> None:
        state = self._session.state
        if state.frame is None or not state.is_free or self._timeline.frame(state) is not None:
            return
        key, fast = event.args
        height, width = state.frame.shape[:2]
        cursor = self._cursor or Pixel(height // 2, width // 2)
        if key in ("Enter", " "):
            self._mark(cursor)
        elif key == "Backspace":
            self._session.undo()
        else:
            # Escape hides it
            self._cursor = moved(cursor, key, (height, width), FAST_PX if fast else 1)
        self._redraw()

    def _enlarge(self, event: events.ValueChangeEventArguments) -> None:
        if bool(event.value) != (self._session.state.large is not None):
            self._session.enlarge(bool(event.value))

    def _use_frame(self) -> None:
        state = self._session.state
        number = self._timeline.frame(state)
        shown = (
            state.frame
            if number is None or state.trial is None
            else state.trial.episode.frames[number]
        )
        if shown is not None:
            self._session.aim_at(shown)

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        state = self._session.state
        if state.frame is None:
            return
        try:
            size = (state.frame.shape[0], state.frame.shape[1])
            # the page goes on meanwhile
            picture = await asyncio.to_thread(read_picture, await event.file.read(), size)
            self._session.aim_at(picture)
        except UserError as error:
            self._session.tell(str(error), is_error=True)


def _shown(state: State, number: int | None) -> Draft:
    """Return the pairs to draw: the draft, or those of the run, where the pixels are by now."""
    trial = state.trial
    if trial is None or not isinstance(trial.goal, PixelGoal):
        return state.draft
    if number is not None:
        places = tuple(
            Pixel(float(row), float(col)) for row, col in trial.episode.tracks[number]
        )
    elif state.pending is not None and len(trial.episode.actions):
        places = state.pending.sources
    else:
        return state.draft
    return Draft(
        tuple(
            Pair(place, target)
            for place, target in zip(places, trial.goal.targets, strict=False)
        )
    )
