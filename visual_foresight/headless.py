"""One trial without a screen: a seeded task or chosen pixels, progress as it goes, an animation
at the end.

It stands where the gui stands: above evaluation, whose control loop it watches, and drawing.
"""

import contextlib
import logging
import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from visual_foresight.control import config as methods
from visual_foresight.control.judge import SUCCESS_M, designate
from visual_foresight.control.loop import Step, finish, run_trial
from visual_foresight.envs.registry import make
from visual_foresight.evaluation.suites import SUITES, begin, make_task
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.localization.registry import LOCATORS
from visual_foresight.planning.planners.presets import PRESETS
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.devices import find_device
from visual_foresight.types import Pixel, PixelGoal, Trial, UserError
from visual_foresight.vision.drawing import trial_animation, write_animation

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlanConfig:
    """Which task, and with what to solve it."""

    seed: int = 0
    """Decides the scene, the task and the planner's chance."""
    suite: str = "near"
    """Kind of task: near, far or novel."""
    source: tuple[str, ...] = ()
    """Designated pixels ROW,COL in the seed's scene (the one that the page shows, but for
    novel), in place of the task."""
    goal: tuple[str, ...] = ()
    """Where each is to go, in the same order."""
    num_objects: int | None = None
    """How many lie in that scene; the seed decides when it is not given."""
    model: str = FLAGSHIP
    """Name of a predictor, folder of a checkpoint, or simulator (a ceiling: it knows the truth)."""
    locator: str = "track"
    """How the designated pixel is followed: track or propagate."""
    preset: str = "default"
    """How to search: fast (97 rollouts), default (312), thorough (600), or plain (312, without
    iCEM's parts)."""
    device: str = "auto"
    """Where the model computes: auto, cpu, cuda or mps."""
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
        if len(self.source) != len(self.goal):
            raise UserError(
                f"--source names {len(self.source)} pixels and --goal {len(self.goal)}: each needs its goal; "
                "leave both out for the seed's own task"
            )
        for text in (*self.source, *self.goal):
            _pixel(text)
        if self.num_objects is not None and not self.source:
            raise UserError(
                "--num-objects goes with --source and --goal: a task has a scene of its own"
            )
        if self.seed < 0:
            raise UserError(f"seed must be 0 or more, got {self.seed}: choose another number")
        if self.animation.suffix.lower() not in (".gif", ".mp4"):
            raise UserError(
                f"an animation is written as .gif or .mp4, got {self.animation.name!r}: change the suffix"
            )

    @property
    def chosen(self) -> PixelGoal | None:
        """Return the goal of the chosen pixels, if any were."""
        return (
            PixelGoal(tuple(map(_pixel, self.source)), tuple(map(_pixel, self.goal)))
            if self.source
            else None
        )


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
        "success" (within 5 cm), "start_distance_cm", "final_distance_cm",
        "replan_seconds_median" and "animation" (a path).

    Raises:
        UserError: the model cannot be used, or a chosen pixel is outside the frame or not on an
            object.
    """
    suite, chosen = SUITES[config.suite], config.chosen
    method = methods.parse(f"{config.model}@{config.locator}", config.preset)
    with ExitStack() as opened:
        env, *others = (
            opened.enter_context(contextlib.closing(make(suite.env, held_out=suite.held_out)))
            # which alone tries things out in another
            for _ in range(2 if method.model == methods.SIMULATOR else 1)
        )
        goal: PixelGoal
        if chosen is None:
            task = make_task(env, suite, config.seed, 0)
            goal, points = task.goal, begin(env, task)
        else:
            options = (
                None if config.num_objects is None else {"num_objects": config.num_objects}
            )
            env.reset(seed=config.seed, options=options)
            goal, points = chosen, designate(env, chosen)
        controller = methods.build(
            method, env, others[0] if others else env, points, find_device(config.device)
        )
        if isinstance(controller, VisualMPC):
            controller = replace(controller, decode_best=True)
        rng = torch.Generator().manual_seed(config.seed)
        steps = run_trial(env, controller, goal, points, rng, suite.num_steps)
        trial = finish(goal, list(_told(steps, suite.num_steps)))
    animation = config.animation.absolute()
    write_animation(animation, trial_animation(trial))
    logger.info(
        "The animation (the plans as imagined, beside what happened) is in %s", animation
    )
    return _figures(trial, animation)


def _told(steps: Iterator[Step], num_steps: int) -> Iterator[Step]:
    """Pass the steps on, saying how each went."""
    for step in steps:
        seconds = "" if step.plan is None else f", planned in {step.plan.seconds:.2f} s"
        logger.info(
            "step %2d of %d: %4.1f cm to go%s",
            step.index,
            num_steps,
            100 * step.distance_m,
            seconds,
        )
        yield step


def _figures(trial: Trial, animation: Path) -> dict[str, Any]:
    return {
        "success": trial.success(SUCCESS_M),
        "start_distance_cm": round(100 * trial.distances_m[0], 2),
        "final_distance_cm": round(100 * trial.distances_m[-1], 2),
        "replan_seconds_median": round(
            float(np.median([plan.seconds for plan in trial.plans])), 3
        ),
        "animation": str(animation),
    }
