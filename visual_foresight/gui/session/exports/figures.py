"""The figures of a run as JSON, with the names that `plan --json` uses where it has them."""

import json
import platform
from typing import Any

import numpy as np
import torch

import visual_foresight
from visual_foresight.control.figures import trial_figures
from visual_foresight.goals.registry import goal_to_json
from visual_foresight.gui.session.exports.kept_run import KeptRun, best_cost


def figures_of(run: KeptRun) -> dict[str, Any]:
    """Return what can be counted of a run, as plain JSON values.

    Returns:
        What `trial_figures` says, and "run", "date", "world", "outcome", "note", "goal" (as files
        keep it; null without one), "num_steps", "unit", "distances" (in that unit, before the first
        and after each step), "distances_m" (the same in metres), "is_believed", "actions",
        "plan_seconds", "replan_seconds_median", "best_costs" (of each plan), "settings" and
        "versions". A list is empty, and a number null, where nothing was kept.
    """
    trial = run.trial
    seconds = run.plan_seconds.values
    return {
        "run": run.entry.name,
        "date": run.entry.date,
        "world": run.entry.folder,
        "outcome": run.entry.outcome,
        "note": run.note,
        "goal": None if run.goal is None else goal_to_json(run.goal),
        **trial_figures(trial),
        "num_steps": run.entry.num_steps,
        "unit": trial.goal.unit,
        "distances": list(trial.distances),
        "distances_m": list(trial.distances_m),
        "is_believed": trial.is_believed,
        "actions": trial.episode.actions.tolist(),
        "plan_seconds": list(seconds),
        "replan_seconds_median": round(float(np.median(seconds)), 3) if seconds else None,
        "best_costs": [best_cost(plan) for plan in trial.plans],
        "settings": dict(run.settings),
        "versions": versions(),
    }


def figures_json(run: KeptRun) -> bytes:
    """Return the figures as the content of a file."""
    return json.dumps(figures_of(run), indent=2, ensure_ascii=False).encode() + b"\n"


def versions() -> dict[str, str]:
    """Return the versions of what writes an export."""
    return {
        "visual-foresight": visual_foresight.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": platform.platform(terse=True),
    }
