"""One trial without a screen: a seeded task or chosen pixels, progress as it goes, an animation at the end.

It stands where the gui stands: above evaluation, whose control loop it watches, and drawing.
"""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visual_foresight.drawing import trial_animation, write_animation
from visual_foresight.envs import make
from visual_foresight.evaluation.suites import SUITES, begin, make_task
from visual_foresight.evaluation.trials import SUCCESS_M, Step, designate, finish, run_trial
from visual_foresight.planning import LOCATORS, PRESETS, PushProposals, VisualMPC
from visual_foresight.predictors import load
from visual_foresight.types import Pixel, PixelGoal, Trial, UserError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlanConfig:
    """Which task, and with what to solve it."""

    seed: int = 0
    """Decides the scene, the task and the planner's chance."""
    suite: str = "near"
    """Kind of task: near, far or novel."""
    source: str | None = None
    """Designated pixel ROW,COL in place of the task's; --goal must be given, too."""
    goal: str | None = None
    """Goal pixel ROW,COL in place of the task's."""
    model: str = "flow"
    """Name of a predictor, or folder of a checkpoint."""
    locator: str = "track"
    """How the designated pixel is followed: track or propagate."""
    preset: str = "default"
    """How widely to search: fast (97 rollouts), default (312) or thorough (600)."""
    animation: Path = Path("outputs/demo.gif")
    """Where the animation goes: .gif or .mp4."""

    def __post_init__(self) -> None:
        for what, name, known in (
            ("suite", self.suite, SUITES),
            ("locator", self.locator, LOCATORS),
            ("preset", self.preset, PRESETS),
        ):
            if name not in known:
                raise UserError(f"unknown {what} {name!r}: choose one of {', '.join(known)}")
        if (self.source is None) != (self.goal is None):
            raise UserError("only one of --source and --goal was given: give both, or neither for the seed's own task")
        for text in filter(None, (self.source, self.goal)):
            _pixel(text)
        if self.seed < 0:
            raise UserError(f"seed must be 0 or more, got {self.seed}: choose another number")
        if self.animation.suffix.lower() not in (".gif", ".mp4"):
            raise UserError(f"an animation is written as .gif or .mp4, got {self.animation.name!r}: change the suffix")

    @property
    def chosen(self) -> PixelGoal | None:
        """Return the goal of the chosen pixels, if any were."""
        if self.source is None or self.goal is None:
            return None
        return PixelGoal((_pixel(self.source),), (_pixel(self.goal),))


def _pixel(text: str) -> Pixel:
    try:
        row, col = map(float, text.split(","))
    except ValueError:
        row = col = math.nan
    if not math.isfinite(row + col):
        raise UserError(f"a pixel is given as ROW,COL, as in 40,20; got {text!r}")
    return Pixel(row, col)


def plan(config: PlanConfig) -> dict[str, Any]:
    """Run one trial, write its animation and return its figures.

    Returns:
        "success" (within 5 cm), "start_distance_cm", "final_distance_cm", "replan_seconds_median" and "animation" (a path).

    Raises:
        UserError: the model cannot be used, or a chosen pixel is outside the frame or not on an object.
    """
    suite = SUITES[config.suite]
    env = make(suite.env, held_out=suite.held_out)
    try:
        predictor = load(config.model, "cpu", env.frame_size, len(env.workspace.step), env.state_size)
        controller = VisualMPC(
            predictor,
            env.workspace,
            PRESETS[config.preset],
            LOCATORS[config.locator](),
            propose=PushProposals(env.workspace, env.table, PRESETS[config.preset]),
        )
        task = make_task(env, suite, config.seed, 0)
        goal, points = task.goal, begin(env, task)
        if (chosen := config.chosen) is not None:
            goal, points = chosen, designate(env, chosen)
        rng = torch.Generator().manual_seed(config.seed)
        steps = run_trial(env, controller, goal, points, rng, suite.num_steps)
        trial = finish(goal, list(_told(steps, suite.num_steps)))
    finally:
        env.close()
    animation = config.animation.absolute()
    write_animation(animation, trial_animation(trial))
    logger.info("The animation (the plans as imagined, beside what happened) is in %s", animation)
    return _figures(trial, animation)


def _told(steps: Iterator[Step], num_steps: int) -> Iterator[Step]:
    """Pass the steps on, saying how each went."""
    for step in steps:
        seconds = "" if step.plan is None else f", planned in {step.plan.seconds:.2f} s"
        logger.info("step %2d of %d: %4.1f cm to go%s", step.index, num_steps, 100 * step.distance_m, seconds)
        yield step


def _figures(trial: Trial, animation: Path) -> dict[str, Any]:
    return {
        "success": trial.success(SUCCESS_M),
        "start_distance_cm": round(100 * trial.distances_m[0], 2),
        "final_distance_cm": round(100 * trial.distances_m[-1], 2),
        "replan_seconds_median": round(float(np.median([plan.seconds for plan in trial.plans])), 3),
        "animation": str(animation),
    }
