"""The animation of a trial: what the camera saw beside what was imagined.

The goal draws itself onto each picture, or beside it.
"""

import numpy as np

from visual_foresight.control.trial import Trial
from visual_foresight.vision.drawing import (
    Strip,
    beside,
    imagined,
    label,
    maps_of,
    overlay,
    upscale,
)


def trial_animation(trial: Trial, scale: int = 5, num_glimpses: int = 4) -> Strip:
    """Show a trial: the camera's frame beside what the model imagines that the plan will do.

    Each step of the trial plays a few steps of its plan: the imagined frame (or the newest real
    one, if the plan was not decoded) with the pixel maps as heat. The last picture is repeated.

    Args:
        trial: what happened.
        scale: how many times larger the frames are shown.
        num_glimpses: how many steps of each plan to show, spread over its horizon, the last
            included.
    """
    goal = trial.goal
    num_steps = len(trial.plans)
    distances = [_after(trial.distance_text(step)) for step in range(num_steps + 1)]
    pictures = []
    for step, plan in enumerate(trial.plans):
        frame = trial.episode.frames[step]
        text = f"camera, step {step} of {num_steps}{distances[step]}"
        real = label(goal.draw(upscale(frame, scale), plan.sources, scale), text)
        for ahead in _glimpses(len(plan.actions), num_glimpses):
            maps = maps_of(plan, ahead)
            heat = overlay(imagined(plan, ahead, frame), maps, scale=scale)
            future = goal.draw(heat, (), scale)
            pictures.append(beside([real, label(future, f"imagined, {ahead + 1} steps ahead")]))
    end = goal.draw(upscale(trial.episode.frames[-1], scale), (), scale)
    start = goal.draw(upscale(trial.episode.frames[0], scale), goal.sources, scale)
    last = beside(
        [
            label(end, f"camera, after {num_steps} steps{distances[-1]}"),
            label(start, f"at the start{distances[0]}"),
        ]
    )
    return np.stack([*pictures, *[last] * (3 * num_glimpses)])


def _after(text: str) -> str:
    """Return a text as it follows another one."""
    return f": {text}" if text else ""


def _glimpses(horizon: int, num_glimpses: int) -> list[int]:
    """Return steps spread evenly over 0 ... horizon - 1, ascending, the last one included."""
    count = min(num_glimpses, horizon)
    return [round(horizon * (i + 1) / count) - 1 for i in range(count)]
