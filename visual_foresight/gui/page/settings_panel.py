"""The panel at the side: scene, model and search, and the buttons that move the robot."""

from collections.abc import Callable
from dataclasses import replace

from nicegui import ui

from visual_foresight.envs.registry import ENVS
from visual_foresight.gui.page.fields import NumberField, select
from visual_foresight.gui.page.hints import explain, field_hints
from visual_foresight.gui.page.model_field import ModelField
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import (
    STOPS_BY,
    Settings,
    cost_choices,
    parse_num_steps,
    preset_choices,
)
from visual_foresight.gui.session.state import State, Status
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.registry import PLANNERS
from visual_foresight.system.seeds import parse_seed
from visual_foresight.types import UserError

BY_SEED = 0
"""Value of the choice that leaves the number of objects to the seed."""
NUM_OBJECTS = {BY_SEED: "by seed", 1: "1", 2: "2", 3: "3", 4: "4"}
STOPS_WITHIN = {0.0: "never", 1.0: "1 cm", 2.0: "2 cm", 3.0: "3 cm", 5.0: "5 cm"}
"""Distances to the goal at which a run may stop by itself."""


class SettingsPanel:
    """Builds the panel and draws it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown = session.state.choices
        self._is_showing = True
        """Whether the fields are being set by the program, not by a hand."""
        with ui.element("aside").classes("settings"):
            with ui.element("section").classes("card"):
                self._build_scene(self._shown)
            with ui.element("section").classes("card"):
                self._build_planner(self._shown)
            with ui.element("section").classes("card controls"):
                self._build_controls()
            self._message = ui.label().classes("message").props("role=status")
        self._is_showing = False
        explain(
            {
                "env": self._env,
                "seed": self._seed.element,
                "num_objects": self._num_objects,
                "model": self._model.element,
                "cost": self._cost,
                "planner": self._planner,
                "preset": self._preset,
                "num_steps": self._num_steps.element,
                "stop_within_cm": self._stop_within,
                "stop_by": self._stop_by,
                "locator": self._locator,
            },
            field_hints(Settings),
        )

    def _build_scene(self, settings: Settings) -> None:
        self._scene_now = _heading("Scene")
        self._env = select("World", list(ENVS), settings.env)
        with ui.element("div").classes("columns fields"):
            self._seed = NumberField("Seed", settings.seed, parse_seed, self._choose)
            self._num_objects = select("Objects", NUM_OBJECTS, settings.num_objects or BY_SEED)
        self._seed.build_error()
        self._reset = ui.button("Reset", on_click=self._on_reset).props("outline dense")
        self._waits = ui.label("Reset to apply").classes("waits-text")
        for field in (self._env, self._num_objects):
            field.on_value_change(self._choose)

    def _build_planner(self, settings: Settings) -> None:
        costs = {name: choice.label for name, choice in cost_choices().items()}
        presets = preset_choices(settings.planner)
        self._planner_now = _heading("Planner")
        self._model = ModelField(self._session, self._choose)
        self._cost = select("Cost", costs, settings.cost)
        self._planner = select("Planner", list(PLANNERS), settings.planner)
        self._planner.on_value_change(self._offer_presets)
        self._planner.set_visibility(len(PLANNERS) > 1)
        self._preset = select("Rollouts", presets, settings.preset)
        with ui.element("div").classes("columns fields"):
            self._num_steps = NumberField(
                "Steps per run", settings.num_steps, parse_num_steps, self._choose
            )
            self._locator = select("Locator", list(LOCATORS), settings.locator)
        self._num_steps.build_error()
        with ui.element("div").classes("columns fields"):
            distances = {settings.stop_within_cm: f"{settings.stop_within_cm:g} cm"}
            self._stop_within = select(
                "Stop at", distances | STOPS_WITHIN, settings.stop_within_cm
            )
            self._stop_by = select("Judged by", STOPS_BY, settings.stop_by)
        for field in (
            self._cost,
            self._preset,
            self._locator,
            self._stop_within,
            self._stop_by,
        ):
            field.on_value_change(self._choose)

    def _offer_presets(self) -> None:
        """Offer the presets of the planner that is chosen."""
        presets = preset_choices(self._planner.value)
        kept = self._preset.value if self._preset.value in presets else next(iter(presets))
        self._preset.set_options(presets, value=kept)
        self._choose()

    def _build_controls(self) -> None:
        session = self._session
        self._plan = ui.button("Plan", on_click=lambda: self._apply_and(session.plan))
        self._plan.props("unelevated dense color=primary")
        with ui.element("div").classes("columns"):
            self._run = ui.button("Run", on_click=lambda: self._apply_and(session.run))
            self._run.props("outline dense")
            self._step = ui.button("Step", on_click=lambda: self._apply_and(session.step))
            self._step.props("outline dense")
            self._pause = ui.button("Pause", on_click=session.pause).props("outline dense")

    # --- drawing ------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Show a state."""
        self._is_showing = True
        self._model.draw(state)
        if state.choices != self._shown:
            self._show(state.choices)
        self._is_showing = False
        self._draw_what_waits(state)
        for element in (
            self._reset,
            self._cost,
            self._planner,
            self._preset,
            self._locator,
            self._num_steps,
            self._stop_within,
            self._stop_by,
        ):
            element.set_enabled(state.can_edit)
        for field in (self._env, self._seed, self._num_objects):
            field.set_enabled(not state.is_view_only)
        is_busy = state.status in (Status.PLANNING, Status.RUNNING)
        is_paused = state.status is Status.PAUSED
        has_goal = state.goal is not None
        can_act = state.can_start and not state.is_recorded and (has_goal or is_paused)
        self._run.set_enabled(can_act)
        self._step.set_enabled(can_act)
        self._plan.set_enabled(can_act and has_goal and state.can_edit)
        self._pause.set_enabled(is_busy and not state.is_view_only)
        self._message.set_text(state.message)
        if state.is_error:
            self._message.classes(add="error")
        else:
            self._message.classes(remove="error")
        self._message.set_visibility(bool(state.message))

    def _draw_what_waits(self, state: State) -> None:
        """Say what is in effect, and what is chosen but is not yet."""
        settings = state.settings
        self._scene_now.set_text(f"now: {settings.env}, seed {settings.seed}")
        self._planner_now.set_text(f"now: {settings.model}")
        waiting = state.waits_for_reset
        self._seed.mark("seed" in waiting)
        _mark(self._env, "env" in waiting)
        _mark(self._num_objects, "num_objects" in waiting)
        self._waits.set_visibility(bool(waiting))

    def _show(self, choices: Settings) -> None:
        """Show what was chosen, perhaps in another tab."""
        self._shown = choices
        self._env.set_value(choices.env)
        self._seed.show(choices.seed)
        self._num_objects.set_value(choices.num_objects or BY_SEED)
        self._cost.set_value(choices.cost)
        self._planner.set_value(choices.planner)
        self._preset.set_value(choices.preset)
        self._locator.set_value(choices.locator)
        self._num_steps.show(choices.num_steps)
        self._stop_within.set_value(choices.stop_within_cm)
        self._stop_by.set_value(choices.stop_by)

    # --- events -------------------------------------------------------------------------------

    def _choose(self) -> None:
        """Hand what the fields hold to the session, for all pages."""
        if self._is_showing:
            return
        try:
            choices = replace(
                self._session.state.choices,
                env=self._env.value,
                seed=self._seed.value,
                num_objects=int(self._num_objects.value) or None,
                model=self._model.value,
                cost=self._cost.value,
                planner=self._planner.value,
                preset=self._preset.value,
                locator=self._locator.value,
                num_steps=self._num_steps.value,
                stop_within_cm=float(self._stop_within.value),
                stop_by=self._stop_by.value,
            )
        except UserError as error:
            self._session.show_message(str(error), is_error=True)
            return
        self._session.choose(choices)

    def apply(self) -> bool:
        """Tell whether what the planner's fields hold can be used; say on the page why not."""
        return self._is_right(self._num_steps)

    def _apply_and(self, act: Callable[[], None]) -> None:
        if self.apply():
            act()

    def _on_reset(self) -> None:
        if self._is_right(self._seed):
            self._session.reset()

    def _is_right(self, field: NumberField) -> bool:
        if field.error:
            self._session.show_message(field.error, is_error=True)
        return not field.error


def _heading(text: str) -> ui.label:
    """Build a heading, and beside it the line that says what is in effect; return that."""
    with ui.element("div").classes("heading"):
        ui.html(text, sanitize=False, tag="h2")
        return ui.label().classes("now")


def _mark(field: ui.select, is_marked: bool) -> None:
    field.classes(**{"add" if is_marked else "remove": "waits"})
