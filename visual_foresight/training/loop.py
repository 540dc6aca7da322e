"""One training loop for every predictor.

A run is a folder: `state.pt` to resume from, `checkpoint/` (averaged weights, what planners
load), `log.jsonl`, TensorBoard events and filmstrips. A run killed at any moment and resumed
gives the same weights as one never killed.
"""

import contextlib
import copy
import json
import math
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from visual_foresight.episodes.dataset import Episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.interfaces import FramesOnly, Learner, Predictor
from visual_foresight.predictors.rollouts import first_maps, free_running_rollout
from visual_foresight.system.devices import find_device
from visual_foresight.training.clip_sampler import Batch, ClipSampler, require_length
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.curriculum import batch_at, horizon_at
from visual_foresight.training.losses import error_over_persistence, errors, objective
from visual_foresight.training.state import STATE_FILE, TrainingState
from visual_foresight.training.teachers.cache import points_of
from visual_foresight.types import to_uint8
from visual_foresight.vision.drawing import filmstrip, write_png

CALIBRATION_BATCH = 2**31  # the number of the batch to calibrate with: no step's
# places in a run, and steps at each, by which it is found how many a budget of time holds
TIMED, TIMED_STEPS = 12, 2


def train(config: TrainConfig, progress: bool = True) -> Path:
    """Train a predictor, or go on training it, and return the folder of its checkpoint.

    Raises:
        UserError: no such predictor or device, unusable data, or another run in the folder.
    """
    device = find_device(config.device)
    episodes = Episodes(config.data)
    learnt, held_out = episodes.split(config.held_out_share, config.seed)
    training_episodes, unseen = _read(learnt, progress), _read(held_out, progress)
    run = TrainingState.begin(config, episodes.info, device, learnt.fingerprint())
    if (config.out / STATE_FILE).exists():
        run.restore(config.out, config)
    context = cast(Predictor, run.model).context
    num_actions = config.horizon + context - 1
    require_length(training_episodes, num_actions, "to learn from")
    require_length(unseen, num_actions, "held out")
    points = points_of(
        training_episodes, unseen, np.array(episodes.info.homography), config.points, progress
    )
    examples, watched = (
        ClipSampler(*part) for part in zip((training_episodes, unseen), points, strict=True)
    )
    if run.step == 0:
        experience = next(
            examples.batches(64, num_actions, context, config.seed, [CALIBRATION_BATCH])
        )
        cast(Learner, run.model).calibrate(experience.clip.to(device))
        run.average.module.load_state_dict(run.model.state_dict())
        run.num_steps = (
            config.steps if config.minutes is None else _affordable(run, config, examples)
        )
    config.out.mkdir(parents=True, exist_ok=True)
    planned = replace(config, steps=run.num_steps)
    with (
        contextlib.closing(
            SummaryWriter(str(config.out / "tensorboard"), purge_step=run.step + 1)
        ) as board,
        tqdm(total=planned.steps, initial=run.step, unit="step", disable=not progress) as bar,
    ):
        while run.step < planned.steps:
            horizon = horizon_at(run.step, planned)
            stop = next(
                s
                for s in range(run.step + 1, planned.steps + 1)
                if s == planned.steps
                or s % config.every == 0
                or horizon_at(s, planned) != horizon
            )
            _advance(run, planned, examples, stop, bar)
            if run.step % config.every == 0 or run.step == planned.steps:
                run.save(config.out, config)
                _report(run, planned, watched, board, bar)
    return config.out / "checkpoint"


def _affordable(run: TrainingState, config: TrainConfig, examples: ClipSampler) -> int:
    """Return how many steps the minutes of the configuration hold.

    Some from all along the way are tried on a copy.
    """
    assert config.minutes is not None
    trial, step_s = copy.deepcopy(run), 0.0
    with tqdm(disable=True) as bar:
        for sample in range(TIMED):
            trial.step = config.steps * sample // TIMED
            _advance(trial, config, examples, trial.step + 1, bar)  # warms up
            trial.seconds = 0.0
            _advance(trial, config, examples, trial.step + TIMED_STEPS, bar)
            step_s += trial.seconds / TIMED_STEPS / TIMED
    return max(1, round(60 * config.minutes / step_s))


def _advance(
    run: TrainingState, config: TrainConfig, examples: ClipSampler, stop: int, bar: Any
) -> None:
    """Take gradient steps up to `stop`, all of the same horizon."""
    device, predictor = next(run.model.parameters()).device, cast(Predictor, run.model)
    num_actions = horizon_at(run.step, config) + predictor.context - 1
    began = time.monotonic()
    size, numbers = batch_at(run.step, config), range(run.step, stop)
    for batch in examples.batches(size, num_actions, predictor.context, config.seed, numbers):
        for group in run.optimizer.param_groups:
            group["lr"] = config.learning_rate * (
                0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * run.step / config.steps))
            )
        with torch.autocast(device.type, torch.bfloat16, enabled=run.bfloat16):
            loss, parts = objective(
                predictor, _fitted(batch, predictor, device), config, run.step
            )
        run.optimizer.zero_grad()
        if (
            loss.requires_grad
        ):  # some batches have nothing to teach (no parameter has a gradient)
            loss.backward()
        norm = nn.utils.clip_grad_norm_(run.model.parameters(), config.clip_norm)
        if not torch.isfinite(norm):
            raise ValueError(
                f"the gradient of step {run.step} is not finite: loss {loss.item()}"
            )
        run.optimizer.step()
        run.average.update_parameters(run.model)
        run.step += 1
        bar.update()
        if run.step % 20 == 0:
            bar.set_postfix(
                {name: f"{part.item():.3f}" for name, part in parts.items()},
                horizon=num_actions - 1,
            )
    run.seconds += time.monotonic() - began


@torch.no_grad()
def _report(
    run: TrainingState,
    config: TrainConfig,
    watched: ClipSampler,
    board: SummaryWriter,
    bar: Any,
) -> None:
    """Look at held-out clips with the averaged weights: log the losses, draw a filmstrip."""
    predictor = cast(Predictor, run.average.module)
    parts: list[dict[str, float]] = []
    for batch in watched.batches(
        16, config.horizon + predictor.context - 1, predictor.context, config.seed, range(6)
    ):
        batch = _fitted(batch, predictor, next(run.model.parameters()).device)
        prediction = free_running_rollout(
            predictor, batch.clip, first_maps(batch.clip, batch.places, predictor.context)
        )
        found = errors(prediction, batch, predictor.context, config)
        moved = error_over_persistence(prediction, batch, predictor.context)
        parts.append({name: part.item() for name, part in found.items()} | moved)
    columns = {name: np.array([part[name] for part in parts]) for name in parts[0]}
    means = {
        name: round(float(np.nanmean(c)), 5)
        for name, c in columns.items()
        if not np.isnan(c).all()
    }
    for name, value in means.items():
        board.add_scalar(f"held_out/{name}", value, run.step)
    line = json.dumps({"step": run.step, "seconds": round(run.seconds, 1), **means})
    with (config.out / "log.jsonl").open("a") as log:
        log.write(line + "\n")
    bar.write(line)
    pairs = zip(batch.clip.frames[:3, predictor.context :], prediction.frames[:3], strict=True)
    rows = [to_uint8(film) for pair in pairs for film in pair]
    write_png(
        config.out / "filmstrips" / f"{run.step:06d}.png",
        filmstrip(rows, ["truth", "imagined"] * 3),
    )


def _fitted(batch: Batch, predictor: Predictor, device: torch.device) -> Batch:
    """Return a batch on a device, without points (p = 0) where the predictor imagines frames only."""
    points = slice(0 if isinstance(predictor, FramesOnly) else None)
    return Batch(
        batch.clip.to(device),
        batch.places[:, :, points].to(device),
        batch.valid[:, :, points].to(device),
    )


def _read(episodes: Episodes, progress: bool) -> list[PackedEpisode]:
    bar = tqdm(range(len(episodes)), "reading", unit="episode", disable=not progress)
    return [episodes.packed(index) for index in bar]
