"""What `scripts/check_python` runs with another Python: all imports, and plans with the dot."""

import importlib
import pkgutil
import sys
from importlib.util import find_spec

import torch

import visual_foresight
from visual_foresight.control.judge import TrialJudge, designate
from visual_foresight.control.loop import finish, run_trial
from visual_foresight.control.trial import Trial
from visual_foresight.envs.dot import DotEnv
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.planning.controllers.visual_mpc import VisualMPC
from visual_foresight.planning.planners.cem import CEM, PRESETS
from visual_foresight.predictors.checkpoints import load
from visual_foresight.types import Pixel

OF_BULLET = "visual_foresight.envs.pushing."
"""Modules that need PyBullet."""


def import_everything() -> int:
    """Import every module that can be imported here, and return how many there are."""
    found = pkgutil.walk_packages(visual_foresight.__path__, "visual_foresight.")
    names = [module.name for module in found if not module.name.endswith("__main__")]
    if find_spec("pybullet") is None:
        names = [name for name in names if not name.startswith(OF_BULLET)]
    for name in names:
        importlib.import_module(name)
    return len(names)


def plan_with_dot(model: str, num_steps: int = 4) -> Trial:
    """Run a short trial with the dot's env, which needs no simulator.

    Args:
        model: a predictor's name, or a checkpoint's folder, for the dot's actions.
        num_steps: how many actions.
    """
    env = DotEnv()
    env.reset(seed=0)
    source = env.project(env.truth()[0, :3])
    goal = PixelGoal((source,), (Pixel(32.0, 32.0),))
    controller = VisualMPC(load(model), env.info.limits, CEM(PRESETS["fast"]))
    rng = torch.Generator().manual_seed(0)
    judge = TrialJudge.of(env, goal, designate(env, goal))
    steps = run_trial(env, controller, goal, judge, rng, num_steps)
    return finish(goal, list(steps))


if __name__ == "__main__":
    sys.stdout.write(f"{import_everything()} modules imported\n")
    if len(sys.argv) > 1:
        sys.stdout.write(f"{len(plan_with_dot(sys.argv[1]).plans)} plans made\n")
