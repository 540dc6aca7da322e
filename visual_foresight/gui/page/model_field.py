"""The field of the model: what is installed, or the folder of another checkpoint, as typed.

Models that cannot plan here are offered with the reason, and cannot be chosen.
"""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.fields import select
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import installed_models
from visual_foresight.gui.session.state import State

NOT_HERE = " (not here: "
"""Begins what is said of a model that cannot plan here; such options cannot be chosen."""


class ModelField:
    """Builds the field, with the button that opens the line, and draws it.

    Args:
        session: the one that all pages show.
        on_change: called when a person has chosen another model.
    """

    def __init__(self, session: Session, on_change: Callable[[], None]) -> None:
        self._session = session
        self._models = installed_models()
        chosen = session.state.choices.model
        self._models.setdefault(chosen, chosen)
        self._unfit = dict[str, str]()
        with ui.element("div").classes("with-button"):
            self.element = select("Model", self._models, chosen)
            self.element.props(
                f":option-disable=\"option => option.label.includes('{NOT_HERE}')\""
            )
            self.element.on_value_change(on_change)
            self._other = ui.button(icon="folder_open")
            self._other.props('flat dense aria-label="Another checkpoint"')
            self._other.tooltip("The folder of another checkpoint, on the program's machine")
            with self._other, ui.menu() as self._menu, ui.row().classes("q-pa-sm items-center"):
                self._folder = ui.input("Folder of a checkpoint", placeholder="runs/mine")
                self._folder.props("dense outlined autocomplete=off")
                self._folder.on("keydown.enter", self._on_folder)
                use = ui.button("Use", on_click=self._on_folder)
                use.props("unelevated dense color=primary padding='3px 12px'")
        self._reason = ui.label().classes("field-error").props("role=alert")

    @property
    def value(self) -> str:
        """Return the name of the model that is chosen."""
        return str(self.element.value)

    def draw(self, state: State) -> None:
        """Show a state; the caller knows that no person changes the field meanwhile."""
        chosen = state.choices.model
        if state.unfit_models != self._unfit or chosen not in self._models:
            self._unfit = dict(state.unfit_models)
            self._models.setdefault(chosen, chosen)
            self._offer()
        self.element.set_value(chosen)
        is_waiting = chosen != state.settings.model
        self.element.classes(**{"add" if is_waiting else "remove": "waits"})
        for element in (self.element, self._other):
            element.set_enabled(state.can_edit)
        reason = self._unfit.get(chosen, "")
        self._reason.set_text(f"{chosen} cannot plan here ({reason}): choose another model")
        self._reason.set_visibility(bool(reason))

    def _offer(self) -> None:
        """Offer the models; those that cannot plan here say why."""
        labels = {
            name: f"{label}{NOT_HERE}{self._unfit[name]})" if name in self._unfit else label
            for name, label in self._models.items()
        }
        self.element.set_options(labels, value=self.element.value)

    def _on_folder(self) -> None:
        if self._session.choose_checkpoint(str(self._folder.value or "")):
            self._menu.close()
