"""The panel at the side: scene, model and search, and the buttons that move the robot."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nicegui import ui

from visual_foresight.envs.registry import ENVS
from visual_foresight.gui.page.hints import explain, field_hints
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import (
    MAX_STEPS,
    Settings,
    cost_choices,
    installed_models,
    preset_choices,
)
from visual_foresight.gui.session.state import State, Status
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.registry import PLANNERS
from visual_foresight.types import UserError

BY_SEED = 0
"""Value of the choice that leaves the number of objects to the seed."""
NUM_OBJECTS = {BY_SEED: "by seed", 1: "1", 2: "2", 3: "3", 4: "4"}


class SettingsPanel:
    """Builds the panel and draws it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown = session.state.settings
        self._models = installed_models()
        self._models.setdefault(self._shown.model, self._shown.model)
        with ui.element("aside").classes("settings"):
            with ui.element("section").classes("card"):
                self._build_scene(self._shown)
            with ui.element("section").classes("card"):
                self._build_planner(self._shown)
            with ui.element("section").classes("card controls"):
                self._build_controls()
            self._message = ui.label().classes("message").props("role=status")
        explain(
            {
                "env": self._env,
                "seed": self._seed,
                "num_objects": self._num_objects,
                "model": self._model,
                "cost": self._cost,
                "planner": self._planner,
                "preset": self._preset,
                "num_steps": self._num_steps,
                "locator": self._locator,
            },
            field_hints(Settings),
        )

    def _build_scene(self, settings: Settings) -> None:
        ui.html("Scene", sanitize=False, tag="h2")
        self._env = _select("World", list(ENVS), settings.env)
        with ui.element("div").classes("columns fields"):
            self._seed = ui.number("Seed", value=settings.seed, min=0, precision=0)
            self._seed.props("dense outlined")
            self._num_objects = _select("Objects", NUM_OBJECTS, settings.num_objects or BY_SEED)
        self._reset = ui.button("Reset", on_click=self._on_reset).props("outline dense")

    def _build_planner(self, settings: Settings) -> None:
        costs = {name: choice.label for name, choice in cost_choices().items()}
        presets = preset_choices(settings.planner)
        ui.html("Planner", sanitize=False, tag="h2")
        self._model = _select("Model", self._models, settings.model)
        self._model.on_value_change(self._on_model)
        self._cost = _select("Cost", costs, settings.cost)
        self._planner = _select("Planner", list(PLANNERS), settings.planner)
        self._planner.on_value_change(self._offer_presets)
        self._planner.set_visibility(len(PLANNERS) > 1)
        self._preset = _select("Rollouts", presets, settings.preset)
        with ui.element("div").classes("columns fields"):
            self._num_steps = ui.number(
                "Steps per run", value=settings.num_steps, min=1, max=MAX_STEPS, precision=0
            )
            self._num_steps.props("dense outlined")
            self._locator = _select("Locator", list(LOCATORS), settings.locator)

    def _offer_presets(self) -> None:
        """Offer the presets of the planner that is chosen."""
        presets = preset_choices(self._planner.value)
        kept = self._preset.value if self._preset.value in presets else next(iter(presets))
        self._preset.set_options(presets, value=kept)

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
            self._stop = ui.button("Stop", on_click=session.stop)
            self._stop.props("outline dense color=negative")

    def draw(self, state: State) -> None:
        """Show a state."""
        if state.settings != self._shown:
            self._show(state.settings)
        for element in (
            self._reset,
            self._model,
            self._cost,
            self._planner,
            self._preset,
            self._locator,
            self._num_steps,
        ):
            element.set_enabled(state.is_editable)
        is_busy = state.status in (Status.PLANNING, Status.RUNNING)
        is_paused = state.status is Status.PAUSED
        has_goal = state.goal is not None
        can_act = state.is_idle and not state.is_recorded and (has_goal or is_paused)
        self._run.set_enabled(can_act)
        self._step.set_enabled(can_act)
        self._plan.set_enabled(can_act and has_goal and state.is_editable)
        self._pause.set_enabled(is_busy)
        self._stop.set_enabled(is_busy or is_paused)
        self._message.set_text(state.message)
        if state.is_error:
            self._message.classes(add="error")
        else:
            self._message.classes(remove="error")
        self._message.set_visibility(bool(state.message))

    def _show(self, settings: Settings) -> None:
        """Show settings that were chosen, perhaps in another tab."""
        self._shown = settings
        self._env.set_value(settings.env)
        self._seed.set_value(settings.seed)
        self._num_objects.set_value(settings.num_objects or BY_SEED)
        if settings.model not in self._models:
            self._models[settings.model] = settings.model
            self._model.set_options(self._models)
        self._model.set_value(settings.model)
        self._cost.set_value(settings.cost)
        self._planner.set_value(settings.planner)
        self._preset.set_value(settings.preset)
        self._locator.set_value(settings.locator)
        self._num_steps.set_value(settings.num_steps)

    def apply(self) -> bool:
        """Hand the chosen settings to the session; tell whether it can act on them now."""
        return self._hand_over(self._session.choose)

    def _apply_and(self, act: Callable[[], None]) -> None:
        if self.apply():
            act()

    def _on_model(self) -> None:
        """Take a model of other frames at once, so that a goal is made on its frames."""
        chosen = replace(self._session.state.settings, model=self._model.value)
        if self._session.needs_other_frames(chosen):
            self.apply()

    def _on_reset(self) -> None:
        def reset(settings: Settings) -> bool:
            scene = replace(
                settings,
                env=self._env.value,
                seed=int(self._seed.value or 0),
                num_objects=int(self._num_objects.value) or None,
            )
            self._session.reset(scene)
            return True

        self._hand_over(reset)

    def _hand_over(self, take: Callable[[Settings], bool]) -> bool:
        """Call a function with the planner's chosen settings, and return what it returns.

        Settings that are not valid are said on the page; then it is False.
        """
        try:
            settings = replace(
                self._session.state.settings,
                model=self._model.value,
                cost=self._cost.value,
                planner=self._planner.value,
                preset=self._preset.value,
                locator=self._locator.value,
                num_steps=int(self._num_steps.value or 0),
            )
            return take(settings)
        except UserError as error:
            self._session.show_message(str(error), is_error=True)
            return False


def _select(label: str, options: Any, value: Any) -> ui.select:
    select = ui.select(options, label=label, value=value)
    select.props("dense outlined options-dense")
    return select
