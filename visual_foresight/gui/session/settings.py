"""What a session is set up with, and what there is to choose from on this machine."""

from dataclasses import dataclass
from pathlib import Path

from visual_foresight.control import config as methods
from visual_foresight.envs.registry import ENVS
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.predictors.checkpoints import CONFIG_FILE
from visual_foresight.predictors.registry import FLAGSHIP, SHIPPED
from visual_foresight.types import UserError

MAX_STEPS = 200
"""The longest run that the page starts."""
CHECKPOINT_FOLDERS = ("models/*", "runs/*/checkpoint", "runs/*", "runs/*/*/checkpoint")
"""Where checkpoints are looked for, from the working directory."""
LIVE_ONLY = (methods.SIMULATOR, *methods.WITHOUT_MODEL)
"""Models that know only the present scene: they cannot imagine from a recorded frame."""


@dataclass(frozen=True)
class CostWeights:
    """Weights of the planning cost, and the name that the page shows for them."""

    label: str
    final: float = VisualMPC.final_weight
    """Weight of the last imagined step; every other step has weight 1."""
    disagreement: float = 0.0
    """Weight of the disagreement of an ensemble: see `planning.costs.DisagreementPenalty`."""


COSTS = {
    "end": CostWeights("near at the end"),
    "way": CostWeights("near all the way", final=1.0),
    "cautious": CostWeights("near at the end, and sure of it", disagreement=1.0),
}


@dataclass(frozen=True)
class Settings:
    """Which scene, and how to plan in it."""

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
    """Actions of a run, unless it is stopped."""
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
        if not 1 <= self.num_steps <= MAX_STEPS:
            raise UserError(
                f"a run has 1 to {MAX_STEPS} steps, got {self.num_steps}: choose another number"
            )


def installed_models() -> dict[str, str]:
    """Return the models that can be planned with here: name -> label on the page."""
    shipped = {name: f"{name} (shipped)" for name in SHIPPED}
    checkpoints = {
        str(path.parent): str(path.parent)
        for pattern in CHECKPOINT_FOLDERS
        for path in sorted(Path().glob(f"{pattern}/{CONFIG_FILE}"))
    }
    baselines = {
        methods.PERSISTENCE: "still (nothing moves)",
        methods.SIMULATOR: "simulator (knows the truth)",
        methods.SCRIPTED: "scripted pushes (no model)",
        methods.RANDOM: "random (no model)",
    }
    return {**shipped, **checkpoints, **baselines}
