"""Making a goal on the frame, with the pointer or with the keyboard."""

from visual_foresight.gui.page.frames.screen import moved, to_pixel
from visual_foresight.gui.page.prediction.timeline import Timeline
from visual_foresight.gui.session.goals import Handle
from visual_foresight.gui.session.session import Session
from visual_foresight.types import Pixel

REACH_PX = 2.0
"""A press within this distance of a marker takes hold of it."""
ON_PX = 0.5
"""A marker within this distance of the keyboard's cursor is the one that it is on."""
FAST_PX = 8
"""How far an arrow key moves the cursor with Shift."""


class GoalEditor:
    """Turns presses, drags and keys into changes of the session's draft.

    It changes nothing while the goal may not change, or while an earlier frame is shown; the
    keyboard's cursor tells what is where all the same.
    """

    def __init__(self, session: Session, timeline: Timeline) -> None:
        self._session = session
        self._timeline = timeline
        self._handle: Handle | None = None
        self._was_dragged = False
        """Whether the marker in hand has moved: all of a drag is one change to undo."""
        self._clicks_at: Pixel | None = None
        """What is marked on release, unless the pointer moves: a marker is in the way of a press
        there."""
        self.cursor: Pixel | None = None
        """The keyboard's cursor, while it is shown."""
        self.in_hand: Handle | None = None
        """The marker that moves with the keyboard's cursor."""
        self.keeps_still = False
        """Whether marking a pixel makes it one that is to keep still."""

    def press(self, x: float, y: float) -> bool:
        """Take hold of a marker, or mark a pixel; tell whether it was one of the frame's.

        Where a marker is, a press takes hold of it. Elsewhere it marks the pixel at once, and the
        drag that may follow draws the goal pixel out of it, or moves the goal pixel just marked.
        While a pair is open, a click on a marker marks the goal pixel there.

        Args:
            x: share of the frame's width, from its left edge.
            y: share of its height, from its top edge.
        """
        pixel = self.pixel(x, y)
        self.cursor = None
        self.in_hand = None
        if pixel is None:
            return False
        draft = self._session.state.draft
        self._was_dragged = False
        self._clicks_at = None
        self._handle = draft.handle_at(pixel, REACH_PX)
        if self._handle is None:
            self._mark(pixel)
            self._handle = self._session.state.draft.handle_at(pixel, 0)
            self._was_dragged = True  # marking was the change to undo
        elif draft.is_open and not self.keeps_still:
            self._clicks_at = pixel
        if self._handle is not None:
            self._handle = self._session.state.draft.drawn_from(self._handle)
        return True

    def drag(self, x: float, y: float) -> bool:
        """Move what is in hand, if anything; tell whether it moved (arguments as in `press`)."""
        self._clicks_at = None
        pixel = self.pixel(x, y)
        draft = self._session.state.draft
        if pixel is None or self._handle is None or self._handle.index >= len(draft.pairs):
            return False
        changed = draft.dragged(self._handle, pixel)
        if changed == draft:
            return False
        self._session.edit(changed, remember=not self._was_dragged)
        self._was_dragged = True
        return True

    def release(self, x: float, y: float, has_moved: bool) -> bool:
        """Move what is in hand a last time, and let go of it; tell whether the goal has changed.

        Args:
            x: as in `press`.
            y: as in `press`.
            has_moved: whether the pointer has moved since it was pressed; if not, it was a click.
        """
        clicked = self._clicks_at
        has_changed = has_moved and self.drag(x, y)
        if not has_moved and clicked is not None:
            self._mark(clicked)
            has_changed = True
        self._handle = None
        self._clicks_at = None
        return has_changed

    def type(self, key: str, is_fast: bool) -> bool:
        """Move the cursor, mark its pixel, move a marker, or undo; tell whether there is a frame.

        Enter on a marker takes hold of it, unless a pair is open; then arrow keys move it, and
        Enter lets go.
        """
        frame_size = self._shown_size()
        if frame_size is None:
            return False
        height, width = frame_size
        cursor = self.cursor or Pixel(height // 2, width // 2)
        if key in ("Enter", " "):
            self.cursor = cursor
            self._mark_or_take(cursor)
        elif key == "Backspace":
            self.in_hand = None
            if self._frame_size() is not None:
                self._session.undo()
        else:  # an arrow, or Escape, which hides the cursor
            self.cursor = moved(cursor, key, frame_size, FAST_PX if is_fast else 1)
            self._carry()
        return True

    def _mark_or_take(self, cursor: Pixel) -> None:
        """Mark a pixel, take hold of the marker there, or let go of what is in hand."""
        if self._frame_size() is None:
            return
        draft = self._session.state.draft
        handle = None if draft.is_open or self.keeps_still else draft.handle_at(cursor, ON_PX)
        if self.in_hand is not None:
            self.in_hand = None
        elif handle is not None:
            self.in_hand = handle
            self._was_dragged = False
        else:
            self._mark(cursor)

    def _carry(self) -> None:
        """Move what is in hand to the cursor; let go of it where that cannot be."""
        draft = self._session.state.draft
        handle = self.in_hand
        if handle is None:
            return
        can_move = self._frame_size() is not None and handle.index < len(draft.pairs)
        if self.cursor is None or not can_move:
            self.in_hand = None
            return
        self._session.edit(draft.dragged(handle, self.cursor), remember=not self._was_dragged)
        self._was_dragged = True

    def _mark(self, pixel: Pixel) -> None:
        draft = self._session.state.draft
        self._session.edit(draft.kept(pixel) if self.keeps_still else draft.clicked(pixel))

    def pixel(self, x: float, y: float) -> Pixel | None:
        """Return the pixel at a place (as in `press`), if a goal can be made there now."""
        frame_size = self._frame_size()
        return None if frame_size is None else to_pixel(x, y, frame_size)

    def _shown_size(self) -> tuple[int, int] | None:
        """Return the size of the frame that is shown, if there is one."""
        state = self._session.state
        frame = state.frame
        if state.is_recorded and state.trial is not None:
            frame = state.trial.episode.frames[0]
        return None if frame is None else (frame.shape[0], frame.shape[1])

    def _frame_size(self) -> tuple[int, int] | None:
        """Return the size of the frame that a goal can be made on, if there is one now."""
        state = self._session.state
        if state.frame is None or not state.is_editable:
            return None
        if self._timeline.frame_index(state) is not None:
            return None
        return state.frame.shape[0], state.frame.shape[1]
