"""Fields of the settings: choices from a list, and numbers that say what is wrong with them."""

from collections.abc import Callable
from typing import Any

from nicegui import events, ui

from visual_foresight.types import UserError


def select(label: str, options: Any, value: Any) -> ui.select:
    """Build a field with a list of choices."""
    field = ui.select(options, label=label, value=value)
    field.props("dense outlined options-dense")
    return field


class NumberField:
    """A whole number that is typed. What is wrong with it is said at once, and not taken.

    Args:
        label: its name on the page.
        value: what it holds at first.
        parse: makes a number of a text, or raises `UserError`.
        on_number: called when another number has been typed.
    """

    def __init__(
        self,
        label: str,
        value: int,
        parse: Callable[[str], int],
        on_number: Callable[[], None],
    ) -> None:
        self._parse = parse
        self._on_number = on_number
        self.value = value
        """The last number that was right."""
        self.error = ""
        """What is wrong with the text, in one sentence; nothing if it is right."""
        self.element = ui.input(label, value=str(value), on_change=self._on_change)
        self.element.props(
            "dense outlined inputmode=numeric autocomplete=off hide-bottom-space"
        )

    def build_error(self) -> None:
        """Build the line in which an error is said, where it has room."""
        self._line = ui.label().classes("field-error").props("role=alert")
        self._line.set_visibility(False)

    def show(self, value: int) -> None:
        """Show a number that was chosen, perhaps in another tab; what is being typed stays."""
        if value != self.value:
            self.value = value
            self.element.set_value(str(value))

    def mark(self, is_marked: bool) -> None:
        """Mark the field, or not, as one that waits for something."""
        self.element.classes(**{"add" if is_marked else "remove": "waits"})

    def set_enabled(self, is_enabled: bool) -> None:
        """Let it be typed in, or not."""
        self.element.set_enabled(is_enabled)

    def _on_change(self, event: events.ValueChangeEventArguments) -> None:
        try:
            number = self._parse(str(event.value or ""))
        except UserError as error:
            self._say(str(error))
            return
        self._say("")
        if number != self.value:
            self.value = number
            self._on_number()

    def _say(self, error: str) -> None:
        self.error = error
        self.element.props(**{"add" if error else "remove": "error aria-invalid=true"})
        self._line.set_text(error)
        self._line.set_visibility(bool(error))
