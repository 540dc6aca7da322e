"""One turn of a run as a file: what was seen, what was measured, and what was imagined.

It is a zip of arrays (`numpy.savez`) with the rest as JSON beside them. Frames are kept in 8 bits
and pixel maps in 16: that is what the page shows, also while the run goes on.
"""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.control.judge import Measurement
from visual_foresight.control.loop import Step
from visual_foresight.types import (
    Observation,
    Pixel,
    Plan,
    Prediction,
    UserError,
    to_float,
    to_uint8,
)

READ_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,  # of a shape that no array has
    RuntimeError,  # of a zip with a password, or in another way
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""What reading a damaged file can raise."""
NOTES = "notes"
"""The array that holds the JSON."""
Size = tuple[int, int]
NO_ELITES = np.zeros((0, 0, 0), np.float32)
"""What a file has that was written before elites were kept."""


def pack(step: Step, model: str) -> bytes:
    """Return a turn as a file has it.

    Args:
        step: of the loop; its plan need not have been carried out.
        model: the name of what imagined the plan.
    """
    seen = step.observation
    arrays: dict[str, np.ndarray] = {"state": seen.state}
    for number, frame in enumerate(seen.frames.values()):
        arrays[f"frame_{number}"] = frame
    notes: dict[str, Any] = {
        "index": step.index,
        "model": model,
        "views": list(seen.frames),
        "signals": {name: float(value) for name, value in seen.signals.items()},
        "verdict": _packed(step.verdict),
        "belief": _packed(step.belief),
    }
    if step.plan is not None:
        arrays |= _arrays_of(step.plan)
        notes["plan"] = _notes_of(step.plan)
    arrays[NOTES] = np.array(json.dumps(notes))
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _packed(measured: Measurement | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    return {
        "places": [[float(place.row), float(place.col)] for place in measured.places],
        "distance": _number(measured.distance),
        "unit": measured.unit,
        "distance_m": _number(measured.distance_m),
    }


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _arrays_of(plan: Plan) -> dict[str, np.ndarray]:
    """Return what is kept of a plan as arrays.

    What is imagined of its runners-up stands by itself: older files have only their actions.
    """
    prediction = plan.prediction
    return {
        "actions": _numbers(plan.actions),
        "frames": to_uint8(prediction.frames[0]),
        "maps": _numbers(prediction.pixel_maps[0], np.float16),
        **{
            f"member_{number}": _numbers(member.pixel_maps, np.float16)
            for number, member in enumerate(prediction.members)
        },
        "lost": _numbers(prediction.lost[0]),
        "runner_up_frames": to_uint8(prediction.frames[1:]),
        "runner_up_maps": _numbers(prediction.pixel_maps[1:], np.float16),
        "runner_up_lost": _numbers(prediction.lost[1:]),
        # of each iteration of the search: the least, the median, the greatest
        "costs": np.array(
            [
                [float(each.min()), float(each.median()), float(each.max())]
                for each in plan.costs
            ],
            np.float32,
        ).reshape(-1, 3),
        "runners_up": _numbers(plan.runners_up),
        "elites": _numbers(plan.elites),
        **{f"signal_{name}": _numbers(each) for name, each in prediction.signals.items()},
    }


def _numbers(values: Tensor, kind: type[np.floating[Any]] = np.float32) -> np.ndarray:
    return values.detach().float().cpu().numpy().astype(kind)


def _notes_of(plan: Plan) -> dict[str, Any]:
    return {
        "sources": [[float(place.row), float(place.col)] for place in plan.sources],
        "seconds": float(plan.seconds),
        "frame_size": list(plan.prediction.frame_size),
        "signals": list(plan.prediction.signals),
        "num_members": len(plan.prediction.members),
    }


def as_kept(plan: Plan) -> Plan:
    """Return a plan whose pixel maps are as exact as a file keeps them, for the page to show.

    So the picture of a step stays the same when the step is read back.
    """
    maps = plan.prediction.pixel_maps
    return replace(plan, prediction=replace(plan.prediction, pixel_maps=maps.half().to(maps)))


def light(step: Step) -> Step:
    """Return a turn without what is imagined, and without what the search found beside the plan."""
    plan = step.plan
    if plan is None:
        return step
    actions = plan.actions.detach().cpu()
    size = plan.prediction.frame_size
    return replace(step, plan=without_prediction(actions, size, plan.sources, plan.seconds))


def without_prediction(
    actions: Float[Tensor, "t a"],
    frame_size: tuple[int, int],
    sources: tuple[Pixel, ...] = (),
    seconds: float = 0.0,
) -> Plan:
    """Return a plan of which nothing is imagined, or known any more."""
    nothing = Prediction.without_model(actions[None], frame_size)
    return Plan(actions, sources, nothing, costs=(), seconds=seconds)


def read_step(file: Path | io.BytesIO) -> Step:
    """Read a turn without what was imagined.

    Raises:
        UserError: the file is missing or damaged.
    """
    with _opened(file) as (arrays, notes):
        frames = {name: arrays[f"frame_{number}"] for number, name in enumerate(notes["views"])}
        plan = None
        if "plan" in notes:
            height, width = notes["plan"]["frame_size"]
            plan = without_prediction(
                actions=torch.from_numpy(arrays["actions"]),
                frame_size=(height, width),
                sources=_pixels(notes["plan"]["sources"]),
                seconds=notes["plan"]["seconds"],
            )
        return Step(
            index=notes["index"],
            observation=Observation(frames, arrays["state"], notes["signals"]),
            plan=plan,
            verdict=_measured(notes["verdict"]),
            belief=_measured(notes["belief"]),
        )


def read_plan(file: Path | io.BytesIO) -> Plan:
    """Read the plan of a turn, and what was imagined of it and of its runners-up.

    Of the runners-up, older files have the actions alone.

    Raises:
        UserError: the file is missing or damaged, or the turn had no plan.
    """
    with _opened(file) as (arrays, notes):
        kept = notes["plan"]
        height, width = kept["frame_size"]
        num_imagined = 1 + len(arrays.get("runner_up_lost", ()))
        signals = {name: arrays[f"signal_{name}"] for name in kept["signals"]}
        prediction = Prediction(
            frames=to_float(_ranked(arrays, "frames")),
            pixel_maps=torch.from_numpy(_ranked(arrays, "maps").astype(np.float32)),
            lost=torch.from_numpy(_ranked(arrays, "lost")),
            carry=None,
            frame_size=(height, width),
            members=tuple(
                _member(arrays[f"member_{number}"], (height, width))
                for number in range(kept.get("num_members", 0))
            ),
            signals={
                name: torch.from_numpy(values.reshape(num_imagined, -1))
                for name, values in signals.items()
            },
        )
        plan = Plan(
            actions=torch.from_numpy(arrays["actions"]),
            sources=_pixels(kept["sources"]),
            prediction=prediction,
            costs=tuple(torch.from_numpy(arrays["costs"])),
            seconds=kept["seconds"],
            runners_up=torch.from_numpy(arrays["runners_up"]),
            elites=torch.from_numpy(arrays.get("elites", NO_ELITES)),
        )
        _require_one_length(plan)
        return plan


def _require_one_length(plan: Plan) -> None:
    """Refuse a plan whose parts do not fit each other, which could not be drawn.

    Raises:
        ValueError: they do not.
    """
    num_steps = len(plan.actions)
    prediction = plan.prediction
    num, num_frames, *shape = prediction.frames.shape
    _, _, num_pixels, _, _ = prediction.pixel_maps.shape
    fits = (
        plan.actions.ndim == 2
        and num_frames in (0, num_steps)
        and shape == [3, *prediction.frame_size]
        and prediction.pixel_maps.shape[:2] == (num, num_steps)
        and prediction.lost.shape == (num, num_steps, num_pixels)
        and num_pixels in (0, len(plan.sources))
        and plan.runners_up.ndim == plan.elites.ndim == 3
    )
    if not fits:
        raise ValueError(
            f"{num_steps} actions, frames of {tuple(prediction.frames.shape)} and pixel maps of "
            f"{tuple(prediction.pixel_maps.shape)} are not of one plan"
        )


def _member(maps: Float[np.ndarray, "n t p map_h map_w"], frame_size: Size) -> Prediction:
    """Return what one member imagined, of which its pixel maps are kept: where they disagree."""
    num, num_steps, num_pixels = maps.shape[:3]
    return Prediction(
        frames=torch.zeros(num, 0, 3, *frame_size),
        pixel_maps=torch.from_numpy(maps.astype(np.float32)),
        lost=torch.zeros(num, num_steps, num_pixels),
        carry=None,
        frame_size=frame_size,
    )


def _ranked(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return what is kept of the plan, and after it of its runners-up, where that was kept."""
    best = arrays[name][None]
    others = arrays.get(f"runner_up_{name}")
    return best if others is None else np.concatenate([best, others])


@contextmanager
def _opened(file: Path | io.BytesIO) -> Iterator[tuple[Mapping[str, np.ndarray], Any]]:
    """Yield the arrays and the notes of a turn's file; whatever is wrong is one sentence."""
    try:
        # From memory: NumPy leaves a damaged file open.
        content = io.BytesIO(file.read_bytes()) if isinstance(file, Path) else file
        with np.load(content, allow_pickle=False) as arrays:
            yield arrays, json.loads(str(arrays[NOTES]))
    except READ_ERRORS as error:
        raise UserError(
            f"{file} holds no step of a run that can be read ({error!r}): "
            "the rest of the run can still be used"
        ) from error


def _pixels(places: Sequence[Sequence[float]]) -> tuple[Pixel, ...]:
    return tuple(Pixel(row, col) for row, col in places)


def _measured(written: Mapping[str, Any] | None) -> Measurement | None:
    if written is None:
        return None
    return Measurement(
        places=_pixels(written["places"]),
        distance=written["distance"],
        unit=written["unit"],
        distance_m=written["distance_m"],
    )
