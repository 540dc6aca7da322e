"""The goals by their names, and the door through which they go to files and come back.

A file holds one name and what the goal of that name wrote: `{"pixels": [...]}`.
"""

from collections.abc import Mapping
from typing import Any, cast

from visual_foresight.system.plugins import Registry
from visual_foresight.types import Goal, UserError

GOALS = Registry(
    "goal",
    "goals",
    {
        "pixels": "visual_foresight.goals.pixel_goal:PixelGoal",
        "png": "visual_foresight.goals.image_goal:ImageGoal",
    },
    Goal,
)
"""Name -> a class whose `kind` is that name."""


def goal_to_json(goal: Goal) -> dict[str, Any]:
    """Return the goal as it is kept in files: its kind, and what it writes."""
    return {goal.kind: goal.to_json()}


def goal_from_json(written: Mapping[str, Any]) -> Goal:
    """Return the goal that a file keeps.

    Raises:
        UserError: there is no goal of that name, or it cannot be read.
    """
    if len(written) != 1:
        raise UserError(
            f"a goal is kept under one name, one of {', '.join(GOALS)}; got {len(written)} names"
        )
    [(kind, content)] = written.items()
    return cast(Goal, GOALS[kind].from_json(content))
