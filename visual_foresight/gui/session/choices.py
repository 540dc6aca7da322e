"""What a session is set up with, what there is to choose from on this machine, and the controller that follows from it."""

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

from visual_foresight.control import config as methods
from visual_foresight.envs.registry import ENVS, make
from visual_foresight.interfaces import Controller, Env, Predictor
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.predictors.checkpoints import CONFIG_FILE
from visual_foresight.predictors.registry import FLAGSHIP, SHIPPED
from visual_foresight.predictors.wrappers.interruptible import InterruptiblePredictor
from visual_foresight.system.devices import find_device
from visual_foresight.types import Episode, UserError

NUM_RUNNERS_UP = 3
CHECKPOINT_FOLDERS = ("models/*", "runs/*/checkpoint", "runs/*", "runs/*/*/checkpoint")
NO_PAST = (methods.SIMULATOR, *methods.WITHOUT_MODEL)
"""Models that cannot be asked what they would have imagined of something recorded."""


@dataclass(frozen=True)
class Weights:
    """What counts in the distance of designated pixels, or of frames, to the goal."""

    label: str
    final: float = VisualMPC.final_weight
    """Weight of the last imagined step; every other one has weight 1."""
    disagreement: float = 0.0
    """Of a predictor's members: see `planning.costs.DisagreementPenalty`."""


COSTS = {
    "end": Weights("near at the end"),
    "way": Weights("near all the way", final=1.0),
    "cautious": Weights("near at the end, and sure of it", disagreement=1.0),
}


@dataclass(frozen=True)
class Choice:
    """Which scene, and with what to plan in it."""

    env: str = "push"
    model: str = FLAGSHIP
    """A row of the control benchmark without its locator: a predictor's name, a checkpoint's
    folder, `simulator`, ..."""
    seed: int = 0
    num_objects: int | None = None
    """None: the seed decides."""
    preset: str = "default"
    cost: str = "end"
    locator: str = "track"
    num_steps: int = 20
    device: str = "auto"
    """Where the model computes: see `devices.find_device`."""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("env", self.env, ENVS),
            ("preset", self.preset, PRESETS),
            ("cost", self.cost, COSTS),
            ("locator", self.locator, LOCATORS),
        ):
            if name not in known:
                raise UserError(f"unknown {what} {name!r}: choose one of {', '.join(known)}")
        if self.seed < 0:
            raise UserError(f"seed must be 0 or more, got {self.seed}: choose another number")
        if not 1 <= self.num_steps <= 200:
            raise UserError(
                f"a run has 1 to 200 steps, got {self.num_steps}: choose another number"
            )


def installed_models() -> dict[str, str]:
    """Return what can be planned with here, and how to call it on the page."""
    found = {
        str(path.parent): str(path.parent)
        for pattern in CHECKPOINT_FOLDERS
        for path in sorted(Path().glob(f"{pattern}/{CONFIG_FILE}"))
    }
    named = {name: f"{name} (shipped)" for name in SHIPPED}
    floors = {
        methods.PERSISTENCE: "still (nothing moves)",
        methods.SIMULATOR: "simulator (knows the truth)",
        methods.SCRIPTED: "scripted pushes (no model)",
        methods.RANDOM: "random (no model)",
    }
    return {**named, **found, **floors}


class Bench:
    """The env, and what is built for it.

    It belongs to one thread: simulators do not like others.
    """

    def __init__(self, env_name: str) -> None:
        self.env_name = env_name
        self.env: Env = make(env_name)
        self._mirror: Env | None = None

    def reset(self, choice: Choice) -> None:
        """Lay out the scene of a choice, which is of this env."""
        self.env.reset(
            seed=choice.seed,
            options=None if choice.num_objects is None else {"num_objects": choice.num_objects},
        )

    def fits(self, episode: Episode) -> bool:
        """Tell whether an episode could have been recorded here, so that a model of this env can be asked of it."""
        sizes = (episode.frames.shape[1:3], episode.actions.shape[1], episode.states.shape[1])
        return sizes == (self.env.frame_size, len(self.env.workspace.step), self.env.state_size)

    def controller(self, choice: Choice, points: tuple[Any, ...], stop: Event) -> Controller:
        """Return the controller of a choice for these designated points; it shows what it
        imagines, and can be stopped.

        Raises:
            UserError: the model does not fit the env, or cannot be loaded.
        """
        method = methods.parse(f"{choice.model}@{choice.locator}", choice.preset)
        if method.model == methods.SIMULATOR and self._mirror is None:
            self._mirror = make(self.env_name)
        controller = methods.build(
            method, self.env, self._mirror or self.env, points, find_device(choice.device)
        )
        if not isinstance(controller, VisualMPC):
            return controller
        weights = COSTS[choice.cost]
        return replace(
            controller,
            predictor=InterruptiblePredictor(controller.predictor, stop),
            final_weight=weights.final,
            disagreement_weight=weights.disagreement,
            decode_best=True,
            num_runners_up=NUM_RUNNERS_UP,
        )

    def predictor(self, choice: Choice, points: tuple[Any, ...], stop: Event) -> Predictor:
        """Return the model of a choice, to be asked what actions would do to designated points.

        Raises:
            UserError: it has none, or it cannot be loaded.
        """
        controller = self.controller(choice, points, stop)
        if not isinstance(controller, VisualMPC):
            raise UserError(
                f"{choice.model!r} plans without a model and imagines nothing: choose a model"
            )
        return controller.predictor

    def close(self) -> None:
        """Free the simulators."""
        self.env.close()
        if self._mirror is not None:
            self._mirror.close()
