"""What a session is set up with, and what there is to choose from on this machine."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

from visual_foresight.control.config import (
    PERSISTENCE,
    RANDOM,
    SCRIPTED,
    SIMULATOR,
    WITHOUT_MODEL,
    ControllerConfig,
    require_no_truth,
)
from visual_foresight.envs.registry import ENVS
from visual_foresight.goals.registry import GOALS
from visual_foresight.planning.costs.registry import COSTS
from visual_foresight.planning.planners.registry import make_planner, presets_of
from visual_foresight.predictors.checkpoints import CONFIG_FILE, read_config, resolve
from visual_foresight.predictors.registry import FLAGSHIP, SHIPPED
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import UserError

MAX_STEPS = 200
"""The longest run that the page starts."""
STOP_WITHIN_CM = 2.0
"""A run stops within this distance of its goal, unless somebody chooses another: at this distance
the locator errs by 0.1 to 1 cm."""
LOCATOR, JUDGE = "locator", "judge"
STOPS_BY = {LOCATOR: "locator", JUDGE: "simulator (knows the truth)"}
"""Who says how far the goal is when a run is to stop -> label on the page."""
MAX_PATH = 1000
"""Letters of a folder's name that somebody types, at most."""
CHECKPOINT_FOLDERS = ("models/*", "runs/*/checkpoint", "runs/*", "runs/*/*/checkpoint")
"""Where checkpoints are looked for, from the working directory."""
LIVE_ONLY = (SIMULATOR, *WITHOUT_MODEL)
"""Models that know only the present scene: they cannot imagine from a recorded frame."""


SCENE_FIELDS = ("env", "seed", "num_objects")
"""The settings that set the scene: they take effect with a reset, all others with the next plan."""


@dataclass(frozen=True)
class CostChoice:
    """A cost that the page offers, and the name that it shows for it."""

    label: str
    cost: str = ControllerConfig.cost
    """Its name in the registry, or "auto" for the goal's own."""
    final_weight: float = ControllerConfig.final_weight
    """Weight of the last imagined step; every other step has weight 1."""
    disagreement: float = 0.0
    """Weight of the disagreement of an ensemble: see `planning.costs.DisagreementPenalty`."""


GOALS_OWN = {
    "end": CostChoice("near at the end"),
    "way": CostChoice("near all the way", final_weight=1.0),
    "cautious": CostChoice("near at the end, and sure of it", disagreement=1.0),
}
"""The goal's own cost, weighed in several ways."""


def cost_choices() -> dict[str, CostChoice]:
    """Return the costs to choose from: the goal's own, then those that belong to no goal."""
    of_goals = [goal.cost for goal in GOALS.values()]
    named = {
        name: CostChoice(name.replace("_", " "), name) for name in COSTS if name not in of_goals
    }
    return {**GOALS_OWN, **named}


def preset_choices(planner: str) -> dict[str, str]:
    """Return the presets of a planner to choose from: name -> label on the page.

    Raises:
        UserError: there is no such planner, or it breaks its protocol.
    """
    return {
        name: f"{name} ({make_planner(planner, name, 2).rollouts})"
        for name in presets_of(planner)
    }


@dataclass(frozen=True)
class Settings:
    """Which scene, and how to plan in it."""

    env: str = "push"
    """The world in which the robot moves. Another one waits for Reset."""
    model: str = FLAGSHIP
    """What imagines the frames that actions lead to: a predictor's name, a checkpoint's folder,
    `simulator`, ..."""
    seed: int = 0
    """Decides where the objects lie. Another one waits for Reset."""
    num_objects: int | None = None
    """How many objects lie there, unless the seed decides. Another number waits for Reset."""
    preset: str = "default"
    """How many sequences of actions a search imagines: more take longer, and find better plans."""
    cost: str = "end"
    """What a good plan is: one of `cost_choices`."""
    planner: str = ControllerConfig.planner
    """How the sequences of actions are searched for."""
    locator: str = "track"
    """How the moved pixel is found again in each new frame."""
    num_steps: int = 20
    """Actions of a run, unless it is stopped."""
    stop_within_cm: float = STOP_WITHIN_CM
    """A run stops when the goal is believed to be this near; 0: it takes all its steps."""
    stop_by: str = LOCATOR
    """Who says how near it is: the locator, or the simulator, which knows the truth and which no
    real robot has."""
    device: str = "auto"
    """Where the model computes: see `devices.find_device`."""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("env", self.env, ENVS),
            ("cost", self.cost, cost_choices()),
            ("judge of the stop", self.stop_by, STOPS_BY),
        ):
            if name not in known:
                raise UserError(f"unknown {what} {name!r}: choose one of {', '.join(known)}")
        if not _is_text(self.model):
            raise UserError(
                f"the folder {self.model!r} of a checkpoint has a name that a page cannot show "
                "(no UTF-8): rename it, or make a link to it"
            )
        require_seed(self.seed)
        if not 1 <= self.num_steps <= MAX_STEPS:
            raise UserError(
                f"a run has 1 to {MAX_STEPS} steps, got {self.num_steps}: choose another number"
            )
        if not 0 <= self.stop_within_cm < math.inf:
            raise UserError(
                "a run stops within 0 cm (never) or more of its goal, got "
                f"{self.stop_within_cm}: choose another distance"
            )
        require_no_truth(self.controller)  # unknown names are refused, too

    def in_scene_of(self, other: "Settings") -> "Settings":
        """Return the same choices in the scene of other settings."""
        return replace(self, **{name: getattr(other, name) for name in SCENE_FIELDS})

    @property
    def controller(self) -> ControllerConfig:
        """Return what plans."""
        choice = cost_choices()[self.cost]
        return ControllerConfig(
            model=self.model,
            preset=self.preset,
            locator=self.locator,
            planner=self.planner,
            cost=choice.cost,
            final_weight=choice.final_weight,
            disagreement=choice.disagreement,
        )


def parse_num_steps(text: str) -> int:
    """Return the number of a run's steps that somebody has typed.

    Raises:
        UserError: it is no whole number, or out of range.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:9]) <= MAX_STEPS):
        raise UserError(
            f"a run has 1 to {MAX_STEPS} steps, a whole number, got {text!r}: type another number"
        )
    return int(digits)


def _is_text(name: str) -> bool:
    """Tell whether the name of a file can be sent to a browser."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def installed_models() -> dict[str, str]:
    """Return the models that can be planned with here: name -> label on the page."""
    shipped = {name: f"{name} (shipped)" for name in SHIPPED}
    checkpoints = {
        str(path.parent): str(path.parent)
        for pattern in CHECKPOINT_FOLDERS
        for path in sorted(Path().glob(f"{pattern}/{CONFIG_FILE}"))
        if _is_text(str(path))
    }
    baselines = {
        PERSISTENCE: "still (nothing moves)",
        SIMULATOR: "simulator (knows the truth)",
        SCRIPTED: "scripted pushes (no model)",
        RANDOM: "random (no model)",
    }
    return {**shipped, **checkpoints, **baselines}


def checkpoint_named(text: str) -> str:
    """Return the model that somebody has typed: an installed one's name, or a checkpoint's folder.

    Raises:
        UserError: it is neither, or what is there is damaged.
    """
    name = text.strip()
    if name in installed_models():
        return name
    if not name or len(name) > MAX_PATH or "\0" in name:
        raise UserError("no folder of a checkpoint was typed: type one that `train` wrote")
    try:
        read_config(resolve(name))
    except OSError as error:
        raise UserError(
            f"the folder {name!r} cannot be read ({error.strerror}): type another"
        ) from error
    return name
