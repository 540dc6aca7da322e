"""The animation of a trial: what the camera saw beside what was imagined.

The goal draws itself onto each picture, or beside it.
"""

import numpy as np

from visual_foresight.control.trial import Trial
from visual_foresight.types import Plan
from visual_foresight.vision.drawing import (
    Strip,
    beside,
    imagined,
    label,
    maps_of,
    overlay,
    upscale,
)

UNIMAGINED = 60
"""The shade that stands for a frame that nobody imagined."""
NOTHING = "nothing imagined"


def trial_animation(trial: Trial, scale: int = 5, num_glimpses: int = 4) -> Strip:
    """Show a trial: the camera's frame beside what the model imagines that the plan will do.

    Each step of the trial plays a few steps of its plan: the imagined frame (or the newest real
    one, if the plan was not decoded) with the pixel maps as heat. Of a step of which nothing was
    imagined, or kept, there is one picture, grey beside the camera's. The last one is repeated.

    Args:
        trial: what happened.
        scale: how many times larger the frames are shown.
        num_glimpses: how many steps of each plan to show, spread over its horizon, the last
            included.
    """
    goal = trial.goal
    num_steps = len(trial.episode.actions)
    distances = [_after(trial.distance_text(step)) for step in range(num_steps + 1)]
    pictures = []
    for step in range(num_steps):
        plan = trial.plans[step] if step < len(trial.plans) else None
        frame = trial.episode.frames[step]
        text = f"camera, step {step} of {num_steps}{distances[step]}"
        places = () if plan is None else plan.sources
        real = label(goal.draw(upscale(frame, scale), places, scale), text)
        if plan is None or not _imagines(plan):
            nothing = goal.draw(upscale(np.full_like(frame, UNIMAGINED), scale), (), scale)
            pictures.append(beside([real, label(nothing, NOTHING)]))
            continue
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


def _imagines(plan: Plan) -> bool:
    """Tell whether there is anything to show of what a plan is imagined to lead to."""
    prediction = plan.prediction
    return bool(prediction.frames.shape[1] or prediction.pixel_maps.shape[2])


def _after(text: str) -> str:
    """Return a text as it follows another one."""
    return f": {text}" if text else ""


def _glimpses(horizon: int, num_glimpses: int) -> list[int]:
    """Return steps spread evenly over 0 ... horizon - 1, ascending, the last one included."""
    count = min(num_glimpses, horizon)
    return [round(horizon * (i + 1) / count) - 1 for i in range(count)]
