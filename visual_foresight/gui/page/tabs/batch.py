"""The tab of the batch: the same model on many scenes, with how often it succeeds."""

from collections.abc import Callable

from nicegui import ui

from visual_foresight.gui.page.changes import ChangeDetector
from visual_foresight.gui.page.fields import NumberField
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State
from visual_foresight.gui.session.trials.batch import SUITE, parse_num_scenes
from visual_foresight.gui.session.trials.verdict import REACHED

NUM_SCENES = 10
EXPLANATION = (
    f"Each scene has a task of the benchmark's suite {SUITE.name!r}, drawn from the chosen seed. "
    "Runs end as chosen at the side; the published figures take all 20 steps. Stop ends the batch."
)


class BatchTab:
    """Builds the tab and draws it (arguments as in `TabsPanel`)."""

    def __init__(self, session: Session, apply_settings: Callable[[], bool]) -> None:
        self._session = session
        self._apply_settings = apply_settings
        self._changes = ChangeDetector()
        with ui.element("div").classes("buttons"):
            with ui.element("div").classes("narrow"):
                self._count = NumberField(
                    "Scenes", NUM_SCENES, parse_num_scenes, self._name_button
                )
            self._button = ui.button(on_click=self._on_click)
            self._button.props("outline dense padding='3px 12px'")
            self._text = ui.label().props("role=status").classes("batch-text")
        self._count.build_error()
        self._name_button()
        self._dots = ui.element("div").classes("dots q-mt-sm")
        ui.label(EXPLANATION).classes("soft q-mt-sm")

    def _name_button(self) -> None:
        self._button.set_text(f"Run {self._count.value} scenes")

    def _on_click(self) -> None:
        if self._count.error:
            self._session.show_message(self._count.error, is_error=True)
        elif self._apply_settings():
            self._session.run_batch(self._count.value)

    def draw(self, state: State) -> None:
        """Show a state."""
        self._button.set_enabled(state.can_start)
        batch = state.batch
        if not self._changes.changed(batch):
            return
        self._text.set_text("" if batch is None else batch.text)
        self._dots.clear()
        if batch is None:
            return
        with self._dots:
            for number, outcome in enumerate(batch.outcomes):
                dot = ui.element("span").classes("dot")
                dot.classes("there" if outcome == REACHED else "away")
                dot.props(f'role=img aria-label="Scene {number}: {outcome}"')
                dot.tooltip(f"Scene {number}: {outcome}")
