"""The `plan` command: one trial, of a seeded task or chosen pixels, and an animation of it.

In a world without a judge, the distances are what the locator believes, and are labelled so.

It stands where the gui stands: above evaluation, whose tasks it takes, and control, whose loop it
runs and whose steps it logs.
"""

import contextlib
import logging
import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visual_foresight.control.animation import trial_animation
from visual_foresight.control.config import (
    SIMULATOR,
    ControllerConfig,
    build,
    make_predictor,
    require_no_truth,
)
from visual_foresight.control.figures import trial_figures
from visual_foresight.control.judge import TrialJudge, designate
from visual_foresight.control.loop import Step, finish, run_trial
from visual_foresight.control.trial import Trial
from visual_foresight.control.world import World, world_of
from visual_foresight.envs.registry import ENVS, require
from visual_foresight.evaluation.suites import SUITES, begin, find_task
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Env
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.devices import find_device
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import Pixel, UserError
from visual_foresight.vision.drawing import require_animation, write_animation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlanConfig:
    """Which task, and with what to solve it."""

    seed: int = 0
    """Decides the scene, the task and the planner's random draws."""
    env: str = "push"
    """Which world; the tasks of the suites are in push, other worlds need --source and --goal."""
    suite: str = "near"
    """Kind of task: near, far or novel."""
    source: tuple[str, ...] = ()
    """Designated pixels ROW,COL in the seed's scene, in place of the task. The page shows the
    same scene, unless the suite is novel. They are pixels of the model's frames."""
    goal: tuple[str, ...] = ()
    """Goal pixels ROW,COL of the designated pixels, in the same order."""
    num_objects: int | None = None
    """How many objects are in that scene; the seed decides when it is not given."""
    model: str = FLAGSHIP
    """Name of a predictor, folder of a checkpoint, or simulator (a ceiling: it knows the truth)."""
    locator: str = "track"
    """How designated pixels are located in new frames: track or propagate."""
    preset: str = "default"
    """How to search: fast (97 rollouts), default (312), thorough (600), or plain (312, without
    iCEM's parts)."""
    planner: str = ControllerConfig.planner
    """What searches: cem, or that of an installed package."""
    cost: str = ControllerConfig.cost
    """How bad an imagined future is: pixel_distance, image_distance (for goal images), that of an
    installed package, or auto for the goal's own."""
    proposals: str = ControllerConfig.proposals
    """What proposes first candidates: pushes, none, that of an installed package, or auto: pushes
    where the camera is calibrated."""
    device: str = "auto"
    """Where the model computes: auto, cpu, mps, cuda, or one of several GPUs: cuda:1."""
    animation: Path = Path("outputs/demo.gif")
    """Where the animation goes: .gif or .mp4."""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("env", self.env, ENVS),
            ("suite", self.suite, SUITES),
        ):
            if name not in known:
                raise UserError(f"unknown {what} {name!r}: choose one of {', '.join(known)}")
        require_no_truth(self.controller)  # unknown names are refused, too
        if len(self.source) != len(self.goal):
            raise UserError(
                f"--source names {len(self.source)} pixels and --goal {len(self.goal)}: "
                "each needs its goal; leave both out for the seed's own task"
            )
        if not self.source and self.env != SUITES[self.suite].env:
            raise UserError(
                f"suite {self.suite!r} has no tasks in {self.env!r}: "
                "say with --source and --goal which pixel is to go where"
            )
        for text in (*self.source, *self.goal):
            _pixel(text)
        if self.num_objects is not None and not self.source:
            raise UserError(
                "--num-objects goes with --source and --goal: a task has a scene of its own"
            )
        require_seed(self.seed)
        if self.animation.suffix.lower() not in (".gif", ".mp4"):
            raise UserError(
                f"an animation is written as .gif or .mp4, got {self.animation.name!r}: "
                "change the suffix"
            )

    @property
    def controller(self) -> ControllerConfig:
        """Return what plans."""
        return ControllerConfig(
            model=self.model,
            preset=self.preset,
            locator=self.locator,
            planner=self.planner,
            cost=self.cost,
            proposals=self.proposals,
        )

    @property
    def chosen(self) -> PixelGoal | None:
        """Return the goal of the chosen pixels, if any were."""
        if not self.source:
            return None
        return PixelGoal(tuple(map(_pixel, self.source)), tuple(map(_pixel, self.goal)))


def _pixel(text: str) -> Pixel:
    """Return the pixel that is written ROW,COL."""
    try:
        place = [float(number) for number in text.split(",")]
    except ValueError:
        place = []
    if len(place) != 2 or not all(map(math.isfinite, place)):
        raise UserError(f"a pixel is given as ROW,COL, as in 40,20; got {text!r}")
    return Pixel(row=place[0], col=place[1])


def plan(config: PlanConfig) -> dict[str, Any]:
    """Run one trial, write its animation and return its figures.

    Returns:
        "success" (within 5 cm), "start_distance_cm", "final_distance_cm",
        "replan_seconds_median" and "animation" (a path). Where there is no judge, the first three
        are replaced by "believed_start_distance_px", "believed_final_distance_px" and, with a
        calibration, the same in "_cm"; all are left out if the method locates nothing.

    Raises:
        UserError: the animation cannot be written, the model cannot be used, or a chosen pixel is
            outside the frame or not on an object.
    """
    suite = SUITES[config.suite]
    world = world_of(config.model)  # refuses what is no model before a world is built
    animation = config.animation.absolute()
    require(config.env)
    require_animation(animation)
    with ExitStack() as opened:
        env = opened.enter_context(_open_env(config, world))
        mirror = env
        if config.model == SIMULATOR:  # it alone tries actions out, in another env
            mirror = opened.enter_context(_open_env(config, world))
        goal, points = _set_scene(config, env)
        device = find_device(config.device)
        predictor = make_predictor(config.controller, env, mirror, points, device)
        controller = build(config.controller, env, points, predictor, decode_best=True)
        rng = torch.Generator().manual_seed(config.seed)
        judge = TrialJudge.of(env, goal, points)
        steps = run_trial(env, controller, goal, judge, rng, suite.num_steps)
        trial = finish(goal, list(_logged(steps, suite.num_steps)))
    write_animation(animation, trial_animation(trial))
    logger.info(
        "The animation (the plans as imagined, beside what happened) is in %s", animation
    )
    return _figures(trial, animation)


def _open_env(config: PlanConfig, world: World) -> contextlib.closing[Env]:
    suite = SUITES[config.suite]
    held_out = suite.held_out and config.env == suite.env
    return contextlib.closing(world.make(config.env, held_out))


def _set_scene(config: PlanConfig, env: Env) -> tuple[PixelGoal, tuple[Any, ...]]:
    """Set the scene of the task, or of the chosen pixels; return goal and designated points."""
    chosen = config.chosen
    if chosen is None:
        task = find_task(env, SUITES[config.suite], config.seed, 0)
        return task.goal, begin(env, task)
    options = None if config.num_objects is None else {"num_objects": config.num_objects}
    env.reset(seed=config.seed, options=options)
    return chosen, designate(env, chosen)


def _logged(steps: Iterator[Step], num_steps: int) -> Iterator[Step]:
    """Pass the steps on, and log a line on each."""
    for step in steps:
        notes = [step.distance_text] if step.distance_text else []
        if step.plan is not None:
            notes.append(f"planned in {step.plan.seconds:.2f} s")
        logger.info("step %2d of %d: %s", step.index, num_steps, ", ".join(notes) or "done")
        yield step


def _figures(trial: Trial, animation: Path) -> dict[str, Any]:
    replan_seconds = float(np.median([plan.seconds for plan in trial.plans]))
    return {
        **trial_figures(trial),
        "replan_seconds_median": round(replan_seconds, 3),
        "animation": str(animation),
    }
