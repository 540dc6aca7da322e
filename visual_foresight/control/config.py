"""What plans, as a configuration, and how a controller is made of it.

The command line, the page and the benchmark all build their controllers here.
"""

from dataclasses import dataclass
from threading import Event
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.interruptible import InterruptibleController, InterruptibleCost
from visual_foresight.control.loop import CLIP_FRAMES
from visual_foresight.env_info import EnvInfo
from visual_foresight.interfaces import (
    Controller,
    Cost,
    Env,
    Judge,
    Locator,
    Predictor,
    require_judge,
    require_simulator,
)
from visual_foresight.planning.controllers.random import RandomController
from visual_foresight.planning.controllers.scripted import ScriptedController
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.costs.registry import COSTS, FINAL_WEIGHT, OF_GOAL, make_cost
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.registry import (
    DEFAULT_PLANNER,
    DEFAULT_PRESET,
    PLANNERS,
    make_planner,
    settings_of,
)
from visual_foresight.planning.proposals.registry import (
    NONE,
    PROPOSERS,
    WHERE_POSSIBLE,
    make_proposer,
)
from visual_foresight.predictors.baselines.simulator import Simulator
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.types import Clip, Goal, Pixel, UserError

RANDOM = "random"
SCRIPTED = "scripted"
NOTHING = "nothing"
PERSISTENCE = "still"
SIMULATOR = "simulator"
TRUTH = "truth"
WITHOUT_MODEL = (RANDOM, SCRIPTED, NOTHING)
WITHOUT_CHECKPOINT = (*WITHOUT_MODEL, PERSISTENCE, SIMULATOR)
CPU = torch.device("cpu")


@dataclass(frozen=True)
class ControllerConfig:
    """What plans: a model, and the parts of the search with it."""

    model: str = FLAGSHIP
    """Name of a predictor, folder of a checkpoint, or `random`, `scripted` (proposed pushes),
    `still`, `simulator` (a ceiling: it knows the truth)."""
    preset: str = DEFAULT_PRESET
    """How to search: fast (97 rollouts), default (312), thorough (600), or plain (312, without
    iCEM's parts)."""
    locator: str = "track"
    """How designated pixels are located in new frames: track or propagate."""
    planner: str = DEFAULT_PLANNER
    """What searches: cem, or that of an installed package."""
    cost: str = OF_GOAL
    """How bad an imagined future is: pixel_distance, image_distance, that of an installed package,
    or auto for the goal's own."""
    proposals: str = WHERE_POSSIBLE
    """What proposes first candidates: pushes, none, that of an installed package, or auto: pushes
    where the camera is calibrated."""
    final_weight: float = FINAL_WEIGHT
    """Weight of the last imagined step in the cost; every other step has weight 1."""
    disagreement: float = 0.0
    """Penalty for disagreement among a model's members (an ensemble's, or samples): this many times
    the standard deviation of their costs is added; a negative number seeks disagreement."""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("planner", self.planner, PLANNERS),
            ("cost", self.cost, (OF_GOAL, *COSTS)),
            ("locator", self.locator, (*LOCATORS, TRUTH)),
            ("source of proposals", self.proposals, (WHERE_POSSIBLE, NONE, *PROPOSERS)),
        ):
            if name not in known:
                raise UserError(f"unknown {what} {name!r}: choose one of {', '.join(known)}")
        settings_of(self.planner, self.preset)


@dataclass(frozen=True)
class TruthLocator:
    """Knows where the designated pixels are: the ceiling of locators. For judges only."""

    env: Judge
    points: tuple[Any, ...]

    def begin(self, clip: Clip, sources: tuple[Pixel, ...]) -> tuple[None, tuple[Pixel, ...]]:
        """Return the true places (see `interfaces.Locator`)."""
        return None, tuple(self.env.where(point)[0] for point in self.points)

    def locate(
        self, memory: None, clip: Clip, imagined: Float[Tensor, "p map_h map_w"]
    ) -> tuple[None, tuple[Pixel, ...]]:
        """Return the true places (see `interfaces.Locator`)."""
        return self.begin(clip, ())


def require_no_truth(config: ControllerConfig) -> None:
    """Refuse a locator that asks the simulator, where its results would not be labelled.

    Raises:
        UserError: it does.
    """
    if config.locator == TRUTH:
        raise UserError(
            f"the locator {TRUTH!r} asks the simulator, and is for ceilings in `evaluate control`: "
            f"choose one of {', '.join(LOCATORS)}"
        )


def make_predictor(
    config: ControllerConfig,
    env: Env,
    mirror: Env,
    points: tuple[Any, ...],
    device: torch.device = CPU,
) -> Predictor | None:
    """Return what imagines for a controller, or None where nothing does.

    Args:
        config: names the model.
        env: where the trial takes place; only the ceiling keeps it.
        mirror: another env of the same kind, in which the simulator tries candidates.
        points: the designated points; only the ceiling keeps them.
        device: where the model computes; published figures were made on the CPU.

    Raises:
        UserError: the model does not fit the env, or cannot be loaded; or it is the simulator,
            and the env has no judge or no snapshots.
    """
    if config.model in WITHOUT_MODEL:
        return None
    if config.model == SIMULATOR:
        user = f"the model {SIMULATOR!r}"
        return Simulator(require_simulator(env, user), require_simulator(mirror, user), points)
    return load_predictor(config, env.info, device)


def load_predictor(
    config: ControllerConfig, info: EnvInfo, device: torch.device = CPU
) -> Predictor:
    """Return a model that needs no env: it imagines from frames, live or recorded.

    Args:
        config: names the model, one with weights or a baseline.
        info: what the robot has, or had when it was recorded.
        device: where the model computes.

    Raises:
        UserError: the model does not fit the robot, or cannot be loaded.
    """
    predictor = with_tracker(
        load(
            config.model,
            device,
            info.frame_size,
            info.action_size,
            info.state_size,
            views=tuple(info.views),
        )
    )
    if predictor.context > CLIP_FRAMES:
        raise UserError(
            f"{config.model} wants {predictor.context} frames of context, but the control loop "
            f"keeps {CLIP_FRAMES}: choose another model, or train one that wants fewer"
        )
    return predictor if device == CPU else OnDevice(predictor, device)


def build(
    config: ControllerConfig,
    env: Env,
    points: tuple[Any, ...],
    predictor: Predictor | None,
    decode_best: bool = False,
    num_runners_up: int = 0,
    stop: Event | None = None,
) -> Controller:
    """Return the controller of a configuration for one trial.

    Args:
        config: what to build.
        env: where the trial takes place; only the locator `truth` keeps it.
        points: the designated points; only the locator `truth` keeps them.
        predictor: of `make_predictor`.
        decode_best: whether to imagine the frames of each plan, to show them.
        num_runners_up: how many other candidates to imagine beside each plan, to show them.
        stop: breaks a search off when it is set; what comes of it is a plan to do nothing.

    Raises:
        UserError: a part is unknown or breaks its protocol, or needs a calibration or a judge,
            and the env has none.
    """
    locator: Locator | None = None
    if config.locator == TRUTH and config.model != RANDOM:
        locator = TruthLocator(require_judge(env, f"the locator {TRUTH!r}"), points)
    return controller_of(
        config, env.info, predictor, locator, decode_best, num_runners_up, stop
    )


def controller_of(
    config: ControllerConfig,
    info: EnvInfo,
    predictor: Predictor | None,
    locator: Locator | None = None,
    decode_best: bool = False,
    num_runners_up: int = 0,
    stop: Event | None = None,
) -> Controller:
    """Return the controller of a configuration where there is no env, but a recording of one.

    Args:
        config: what to build.
        info: what the robot has, or had when it was recorded.
        predictor: of `make_predictor`, or of `load_predictor`.
        locator: in place of the configuration's own; None for that.
        decode_best: as in `build`.
        num_runners_up: as in `build`.
        stop: as in `build`.

    Raises:
        UserError: as `build`.
    """
    planner = make_planner(config.planner, config.preset, info.action_size)
    if config.model == RANDOM:
        return RandomController(info.limits, planner.horizon)
    if config.model == NOTHING:
        return RandomController(info.limits, planner.horizon, std=0.0)
    if locator is None:
        require_no_truth(config)
        locator = LOCATORS.require(config.locator, LOCATORS[config.locator]())
    count = planner.max_proposals
    if predictor is None:
        workspace = info.require_workspace(f"the method {SCRIPTED!r}, which proposes pushes")
        pushes = make_proposer("pushes", info, max(count, 1), planner.horizon)
        assert pushes is not None, "it was asked for by name"
        return ScriptedController(workspace, pushes, locator)

    def cost_of(goal: Goal) -> Cost:
        cost = make_cost(goal, config.cost, config.final_weight, config.disagreement)
        return cost if stop is None else InterruptibleCost(cost, stop)

    controller = VisualMPC(
        predictor,
        info.limits,
        planner,
        locator,
        cost_of=cost_of,
        propose=make_proposer(config.proposals, info, count, planner.horizon),
        decode_best=decode_best,
        num_runners_up=num_runners_up,
    )
    return controller if stop is None else InterruptibleController(controller)
