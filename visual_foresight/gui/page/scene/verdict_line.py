"""The line that says what became of the last run, with the ways to go on from there."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State


class VerdictLine:
    """Builds the line and draws it (arguments as in `ScenePanel`)."""

    def __init__(self, session: Session, apply_settings: Callable[[], bool]) -> None:
        self._apply_settings = apply_settings
        self.is_shown = False
        """Whether there is something to say now."""
        self._line = ui.element("div").classes("verdict").props("role=status")
        with self._line:
            self._text = ui.label()
            again = ui.button("Again", on_click=lambda: self._apply_and(session.again))
            again.props("flat dense").tooltip(
                "The same scene and goal, with what is chosen now"
            )
            self._go_on = ui.button("Go on", on_click=lambda: self._apply_and(session.go_on))
            self._go_on.props("flat dense")

    def draw(self, state: State) -> None:
        """Show a state."""
        verdict = state.verdict
        has_goal = bool(state.draft.pairs)
        can_go_on = state.can_edit and not state.is_recorded
        self.is_shown = verdict is not None and can_go_on and not has_goal
        self._line.set_visibility(self.is_shown)
        if verdict is None:
            return
        self._text.set_text(verdict.text[:1].upper() + verdict.text[1:])
        near = f" to {100 * verdict.next_within_m:.2g} cm" if verdict.next_within_m else ""
        self._go_on.set_text(f"Go on{near}")

    def _apply_and(self, act: Callable[[], None]) -> None:
        if self._apply_settings():
            act()
