"""The panel at the side.

Which scene, which model and search, and the buttons that make the robot think and move.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nicegui import ui

from visual_foresight.envs.registry import ENVS
from visual_foresight.gui.session.choices import COSTS, Choice, installed_models
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State, Status
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.types import UserError

OBJECTS = {0: "by seed", 1: "1", 2: "2", 3: "3", 4: "4"}


class SettingsPanel:
    """Builds the panel and draws it."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._choice = choice = session.state.choice
        self._models = installed_models()
        self._models.setdefault(choice.model, choice.model)
        with ui.element("aside").classes("settings"):
            with ui.element("section").classes("card"):
                ui.html("ScenePanel", sanitize=False, tag="h2")
                self._env = self._select("World", list(ENVS), choice.env)
                with ui.element("div").classes("two fields"):
                    self._seed = ui.number("Seed", value=choice.seed, min=0, precision=0).props(
                        "dense outlined"
                    )
                    self._objects = self._select("Objects", OBJECTS, choice.num_objects or 0)
                self._reset = ui.button("Reset", on_click=self._on_reset).props("outline dense")
            with ui.element("section").classes("card"):
                ui.html("Planner", sanitize=False, tag="h2")
                self._model = self._select("Model", self._models, choice.model)
                self._cost = self._select(
                    "Cost", {name: each.label for name, each in COSTS.items()}, choice.cost
                )
                rollouts = {
                    name: f"{name} ({config.rollouts})" for name, config in PRESETS.items()
                }
                self._preset = self._select("Rollouts", rollouts, choice.preset)
                with ui.element("div").classes("two fields"):
                    self._num_steps = ui.number(
                        "Steps per run", value=choice.num_steps, min=1, max=200, precision=0
                    )
                    self._num_steps.props("dense outlined")
                    self._locator = self._select("Locator", list(LOCATORS), choice.locator)
            with ui.element("section").classes("card drive"):
                self._plan = ui.button("Plan", on_click=self._then(session.plan)).props(
                    "unelevated dense color=primary"
                )
                with ui.element("div").classes("two"):
                    self._run = ui.button(
                        "OngoingTrial", on_click=self._then(session.run)
                    ).props("outline dense")
                    self._step = ui.button("Step", on_click=self._then(session.step)).props(
                        "outline dense"
                    )
                    self._pause = ui.button("Pause", on_click=session.pause).props(
                        "outline dense"
                    )
                    self._stop = ui.button("Stop", on_click=session.stop).props(
                        "outline dense color=negative"
                    )
            self._message = ui.label().classes("message").props("role=status")

    @staticmethod
    def _select(label: str, options: Any, value: Any) -> ui.select:
        return ui.select(options, label=label, value=value).props(
            "dense outlined options-dense"
        )

    def draw(self, state: State) -> None:
        """Show a state."""
        if state.choice != self._choice:
            self._follow(state.choice)
        free, busy = state.is_free, state.status in (Status.PLANNING, Status.RUNNING)
        ready = (
            state.is_idle
            and not state.is_recorded
            and (state.goal is not None or state.status is Status.PAUSED)
        )
        for element in (
            self._reset,
            self._model,
            self._cost,
            self._preset,
            self._locator,
            self._num_steps,
        ):
            element.set_enabled(free)
        for button in (self._run, self._step):
            button.set_enabled(ready)
        self._plan.set_enabled(ready and free and state.goal is not None)
        self._pause.set_enabled(busy)
        self._stop.set_enabled(busy or state.status is Status.PAUSED)
        self._message.set_text(state.message)
        self._message.classes(add="error") if state.is_error else self._message.classes(
            remove="error"
        )
        self._message.set_visibility(bool(state.message))

    def _follow(self, choice: Choice) -> None:
        """Show what was chosen, perhaps in another tab."""
        self._choice = choice
        self._env.set_value(choice.env)
        self._seed.set_value(choice.seed)
        self._objects.set_value(choice.num_objects or 0)
        if choice.model not in self._models:
            self._models[choice.model] = choice.model
            self._model.set_options(self._models)
        self._model.set_value(choice.model)
        self._cost.set_value(choice.cost)
        self._preset.set_value(choice.preset)
        self._locator.set_value(choice.locator)
        self._num_steps.set_value(choice.num_steps)

    def choose(self) -> bool:
        """Hand what is chosen to the session; tell whether it made sense."""
        return self._chosen(self._session.choose)

    def _on_reset(self) -> None:
        def reset(choice: Any) -> None:
            objects = int(self._objects.value) or None
            self._session.reset(
                replace(
                    choice,
                    env=self._env.value,
                    seed=int(self._seed.value or 0),
                    num_objects=objects,
                )
            )

        self._chosen(reset)

    def _then(self, verb: Callable[[], None]) -> Callable[[], None]:
        def act() -> None:
            if self.choose():
                verb()

        return act

    def _chosen(self, take: Callable[[Any], None]) -> bool:
        try:
            take(
                replace(
                    self._session.state.choice,
                    model=self._model.value,
                    cost=self._cost.value,
                    preset=self._preset.value,
                    locator=self._locator.value,
                    num_steps=int(self._num_steps.value or 0),
                )
            )
        except UserError as error:
            self._session.tell(str(error), is_error=True)
            return False
        return True
