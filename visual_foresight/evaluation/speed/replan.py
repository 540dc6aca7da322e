"""How long a replan takes, per preset, beside the machine's matrix products: `evaluate speed`."""

import contextlib
import statistics
from dataclasses import dataclass
from typing import Any

import torch

from visual_foresight.control.config import ControllerConfig, build, make_predictor
from visual_foresight.control.judge import TrialJudge
from visual_foresight.control.loop import run_trial
from visual_foresight.control.world import world_of
from visual_foresight.evaluation.speed.yardstick import gemm_gflops
from visual_foresight.evaluation.suites import SUITES, begin, find_task
from visual_foresight.planning.planners.registry import make_planner, presets_of
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import UserError


@dataclass(frozen=True)
class SpeedConfig:
    """What to time."""

    model: str = FLAGSHIP
    """Name of a predictor, or folder of a checkpoint."""
    planner: str = ControllerConfig.planner
    """What searches, in all its presets: cem, or that of an installed package."""
    repeats: int = 7
    """Replans per preset; the first one, which warms up, is not counted."""

    def __post_init__(self) -> None:
        if self.repeats < 2:
            raise UserError(
                f"2 replans or more are needed, the first is not counted; got {self.repeats}"
            )


def time_planning(config: SpeedConfig) -> dict[str, Any]:
    """Replan in closed loop on a seeded task; a replan locates, searches and decodes the best.

    Returns:
        {"presets": {name: {"rollouts", "horizon", "seconds_median", "frames_per_second"}},
        "gemm_gflops": float32 matrix products, in 1e9 operations per second on the same threads,
        "threads": their number}.
    """
    suite = SUITES["near"]
    presets = {}
    with contextlib.closing(world_of(config.model).make(suite.env)) as env:
        predictor = make_predictor(ControllerConfig(model=config.model), env, env, ())
        for name in presets_of(config.planner):
            parts = ControllerConfig(model=config.model, planner=config.planner, preset=name)
            planner = make_planner(config.planner, name, env.info.action_size)
            task = find_task(env, suite, 1, 0)
            points = begin(env, task)
            controller = build(parts, env, points, predictor, decode_best=True)
            rng = torch.Generator().manual_seed(0)
            judge = TrialJudge.of(env, task.goal, points)
            trial = run_trial(env, controller, task.goal, judge, rng, config.repeats)
            seconds = [step.plan.seconds for step in trial if step.plan is not None]
            seconds_median = statistics.median(seconds[1:])
            presets[name] = {
                "rollouts": planner.rollouts,
                "horizon": planner.horizon,
                "seconds_median": seconds_median,
                "frames_per_second": planner.rollouts * planner.horizon / seconds_median,
            }
    return {
        "presets": presets,
        "gemm_gflops": gemm_gflops(),
        "threads": torch.get_num_threads(),
    }
