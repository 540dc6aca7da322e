"""Pictures within a report: data URLs of frames, and what was imagined beside what was seen."""

import base64
from dataclasses import dataclass

import cv2
import numpy as np

from visual_foresight.gui.session.exports.kept_run import KeptRun, imagines
from visual_foresight.gui.session.gallery.pictures import jpeg, resized
from visual_foresight.vision.drawing import Picture, imagined, maps_of, overlay

NUM_SHOWN = 8
"""Steps of a run that a report shows, at most."""
SHARP_UP_TO = 160
"""Frames of more rows than that are made smaller, and sent as JPEG."""
HEAT_SCALE = 2
"""Pixel maps are drawn over frames enlarged so many times, unless these are large."""


@dataclass(frozen=True)
class Shown:
    """One step of a run in a report."""

    step: int
    """After how many actions."""
    seen: str
    """What the camera saw then, as a data URL."""
    imagined: str
    """What was imagined of it one step before; nothing where nothing was."""


def strip_of(run: KeptRun) -> tuple[Shown, ...]:
    """Return steps of a run, spread evenly over it, the last one included."""
    frames = run.trial.episode.frames
    plans = run.trial.plans
    shown = []
    for step in spread(len(frames) - 1):
        url = ""
        if len(plans) and imagines(plans[step - 1]):
            plan = plans[step - 1]
            frame = imagined(plan, 0, frames[step - 1])
            scale = HEAT_SCALE if len(frame) * HEAT_SCALE <= SHARP_UP_TO else 1
            url = data_url(overlay(frame, maps_of(plan, 0), scale=scale))
        shown.append(Shown(step, data_url(frames[step]), url))
    return tuple(shown)


def spread(num_steps: int) -> list[int]:
    """Return steps spread evenly over 1 ... num_steps, ascending, the last one included."""
    count = min(num_steps, NUM_SHOWN)
    return [round(num_steps * (number + 1) / count) for number in range(count)]


def data_url(picture: Picture) -> str:
    """Return a picture as a data URL."""
    if len(picture) > SHARP_UP_TO:
        kind, data = "jpeg", jpeg(resized(picture, SHARP_UP_TO))
    else:
        pixels = np.ascontiguousarray(picture[..., ::-1])
        kind, data = "png", cv2.imencode(".png", pixels)[1].tobytes()
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
