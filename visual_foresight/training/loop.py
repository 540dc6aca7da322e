"""One training loop for all predictors.

A run is a folder: `state.pt` to resume from, `checkpoint/` with the averaged weights that
planners load, `log.jsonl`, TensorBoard events, and filmstrips. A run that was killed and resumed
gives the same weights as one that was never stopped.
"""

import contextlib
import copy
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from visual_foresight.env_info import Homography, view_names
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.packed import PackedEpisode
from visual_foresight.episodes.source import EpisodeSource, Kept, in_views, split
from visual_foresight.interfaces import FramesOnly, Learner, Predictor
from visual_foresight.predictors.registry import learned_model, reads_views
from visual_foresight.predictors.rollouts import free_running_rollout, training_rollout
from visual_foresight.system.devices import find_device
from visual_foresight.system.locks import locked
from visual_foresight.system.signals import Request, deferred
from visual_foresight.training.clip_sampler import Batch, ClipSampler, require_length
from visual_foresight.training.config import TrainConfig
from visual_foresight.training.curriculum import batch_at, horizon_at, learning_rate_at
from visual_foresight.training.losses import error_over_persistence, errors, objective
from visual_foresight.training.places import require_places
from visual_foresight.training.progress import Bar
from visual_foresight.training.state import LOWEST, STATE_FILE, TrainingState, new_model
from visual_foresight.training.teachers.cache import points_of
from visual_foresight.training.teachers.point_tracks import PointTracks
from visual_foresight.training.teachers.registry import require_calibration, teacher_of
from visual_foresight.types import UserError, to_uint8
from visual_foresight.vision.drawing import filmstrip, write_png

logger = logging.getLogger(__name__)
CALIBRATION_CLIPS = 64  # in the batch that calibrates a new model
CALIBRATION_NUMBER = 2**31  # of that batch: no gradient step has it
NUM_TRIED = 32  # training rollouts that may show frames to learn from
TIMED_PLACES = 12  # in a run, at which steps are timed
TIMED_STEPS = 2  # at each of these places
HELD_OUT_CLIPS = 16  # per batch of an evaluation
HELD_OUT_BATCHES = 6  # per evaluation
SHOWN_CLIPS = 3  # in a filmstrip


def train(config: TrainConfig, progress: bool = True) -> Path:
    """Train a predictor, or resume training it, and return the folder of its checkpoint.

    Args:
        config: of the run.
        progress: show progress bars on stderr.

    Raises:
        UserError: the predictor or device does not exist, the data cannot be used, the folder has
            another run, or is being written to, or the training diverges.
        KeyboardInterrupt: it was asked to end; the steps up to then are kept.
    """
    device = find_device(config.device)
    learned_model(config.predictor)  # faults of names are told before data are read
    teacher_of(config.teacher)
    require_places(config)
    with locked(config.out, "training", "choose another --out"):
        return _train(config, device, progress)


def _train(config: TrainConfig, device: torch.device, progress: bool) -> Path:
    """Do the work of `train` in a folder that nobody else writes to."""
    episodes = _episodes(config)
    to_train, to_evaluate = split(episodes, config.held_out_share, config.seed)
    # What the model cannot be made for, such as a camera without a calibration, is told first, too.
    model = new_model(config, episodes.info, device)
    training = _read(to_train, progress)
    run = TrainingState.begin(config, model, device, training)
    if (config.out / STATE_FILE).exists():
        run.restore(config.out, config)
        if run.step == run.num_steps:
            logger.info("this run is finished, nothing is learnt any more: %s", config.out)
            return config.out / "checkpoint"
    elif config.begin_from is not None:
        run.adopt(config.begin_from, config)
    training_episodes = training.episodes
    held_out_episodes = _read(to_evaluate, progress).episodes
    num_actions = config.horizon + _context(run) - 1
    require_length(training_episodes, num_actions, "to learn from")
    require_length(held_out_episodes, num_actions, "held out")
    training_points, held_out_points = _points(
        run, config, episodes.info.homography, training_episodes, held_out_episodes, progress
    )
    training_clips = ClipSampler(training_episodes, training_points)
    held_out_clips = ClipSampler(held_out_episodes, held_out_points)
    if run.step == 0:
        _calibrate(run, config, training_clips)
        if not any(each.valid.any() for each in training_points):
            _require_frames(run, config, training_clips)
        run.num_steps = config.steps
        if config.minutes is not None:
            run.num_steps = _affordable_steps(run, config, config.minutes, training_clips)
    planned = replace(config, steps=run.num_steps)
    board = SummaryWriter(str(config.out / "tensorboard"), purge_step=run.step + 1)
    bar = Bar(total=planned.steps, initial=run.step, unit="step", disable=not progress)
    with contextlib.closing(board), bar, deferred() as request:
        while run.step < planned.steps:
            stop = _next_stop(run.step, planned)
            _take_steps(run, planned, training_clips, stop, bar, request)
            if run.step % config.every == 0 or run.step == planned.steps:
                means, picture = _evaluate(run, planned, held_out_clips)
                run.save(config.out, config, means["loss"])
                bar.write(_report(run, config.out, means, picture, board))
            elif request.is_there:
                run.save(config.out, config)
            if request.is_there and run.step < planned.steps:
                raise request.ending
    return config.out / "checkpoint"


def _episodes(config: TrainConfig) -> EpisodeSource:
    """Return the episodes in the views that the model reads."""
    source = open_episodes(config.data)
    views = view_names(config.views) or tuple(source.info.views)
    return in_views(source, views if reads_views(config.predictor) else views[:1])


def _points(
    run: TrainingState,
    config: TrainConfig,
    homography: Homography | None,
    training_episodes: Sequence[PackedEpisode],
    held_out_episodes: Sequence[PackedEpisode],
    progress: bool,
) -> tuple[list[PointTracks], list[PointTracks]]:
    """Return the points that the teacher follows through training and held-out episodes."""
    if homography is None and isinstance(run.model, FramesOnly):  # it follows no points anyway
        return (
            [PointTracks.none(len(each.states)) for each in training_episodes],
            [PointTracks.none(len(each.states)) for each in held_out_episodes],
        )
    require_calibration(config.teacher, homography is not None)
    return points_of(
        config.teacher,
        training_episodes,
        held_out_episodes,
        None if homography is None else np.array(homography),
        config.points,
        progress,
    )


def _require_frames(run: TrainingState, config: TrainConfig, clips: ClipSampler) -> None:
    """Refuse a model that learns from points alone at the end of its training: there are none.

    Whether its training rollout shows frames, or adds a loss, may be left to chance.
    """
    context = _context(run)
    (batch,) = clips.batches(1, context, context, config.seed, [CALIBRATION_NUMBER])
    clip = batch.clip.to(_device(run))
    places = clip.frames.new_zeros(1, 0, 2)
    predictor = cast(Predictor, run.model)
    for chance in range(NUM_TRIED):
        rng = torch.Generator().manual_seed(chance)
        with torch.no_grad():
            imagined, extra = training_rollout(predictor, clip, places, rng, progress=1.0)
        if imagined.frames.shape[1] or extra:
            return
    raise UserError(
        f"the model {config.predictor!r} learns from points that are followed through frames, and "
        f"the teacher {config.teacher!r} follows none in these episodes: choose another teacher, "
        "or another model"
    )


def _calibrate(run: TrainingState, config: TrainConfig, clips: ClipSampler) -> None:
    """Let a new model set what needs no gradient, from a batch of clips."""
    context = _context(run)
    (batch,) = clips.batches(
        CALIBRATION_CLIPS,
        config.horizon + context - 1,
        context,
        config.seed,
        [CALIBRATION_NUMBER],
    )
    cast(Learner, run.model).calibrate(batch.clip.to(_device(run)))
    run.average.module.load_state_dict(run.model.state_dict())


def _affordable_steps(
    run: TrainingState, config: TrainConfig, minutes: float, clips: ClipSampler
) -> int:
    """Return how many steps fit into a time budget, by timing some of a copy of the run.

    They are spread over the whole curriculum, whose steps take different times.
    """
    trial = copy.deepcopy(run)
    step_s = 0.0
    with tqdm(disable=True) as bar:
        for place in range(TIMED_PLACES):
            trial.step = config.steps * place // TIMED_PLACES
            _take_steps(trial, config, clips, trial.step + 1, bar, Request())  # to warm up
            trial.seconds = 0.0
            _take_steps(trial, config, clips, trial.step + TIMED_STEPS, bar, Request())
            step_s += trial.seconds / TIMED_STEPS / TIMED_PLACES
    return max(1, round(60 * minutes / step_s))


def _next_stop(step: int, config: TrainConfig) -> int:
    """Return the step at which the run ends, writes a checkpoint, or changes its horizon."""
    horizon = horizon_at(step, config)
    for stop in range(step + 1, config.steps):
        if stop % config.every == 0 or horizon_at(stop, config) != horizon:
            return stop
    return config.steps


def _take_steps(
    run: TrainingState,
    config: TrainConfig,
    clips: ClipSampler,
    stop: int,
    bar: Any,
    request: Request,
) -> None:
    """Take gradient steps up to `stop`, all with the same horizon, or until it is asked to end."""
    predictor = cast(Predictor, run.model)
    device = _device(run)
    horizon = horizon_at(run.step, config)
    num_actions = horizon + predictor.context - 1
    began = time.monotonic()
    batches = clips.batches(
        batch_at(run.step, config),
        num_actions,
        predictor.context,
        config.seed,
        range(run.step, stop),
    )
    for batch in batches:
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate_at(run.step, config)
        suited = _suited(batch, predictor, device)
        try:
            with torch.autocast(device.type, torch.bfloat16, enabled=run.bfloat16):
                loss, parts = objective(predictor, suited, config, run.step)
        except FloatingPointError as error:
            raise _diverged(run, config, str(error)) from error
        if not torch.isfinite(loss):
            raise _diverged(run, config, f"the loss is {loss.item()}")
        run.optimizer.zero_grad()
        if (
            loss.requires_grad
        ):  # some batches have nothing to teach (no parameter has a gradient)
            loss.backward()
        norm = nn.utils.clip_grad_norm_(run.model.parameters(), config.clip_norm)
        if not torch.isfinite(norm):
            raise _diverged(run, config, "the gradient is not finite")
        run.optimizer.step()
        run.average.update_parameters(run.model)
        run.step += 1
        if request.is_there:  # seen to before the bar, which may have lost its reader
            break
        bar.update()
        if run.step % 20 == 0:
            figures = {name: f"{part.item():.3f}" for name, part in parts.items()}
            bar.set_postfix(figures, horizon=horizon)
    batches.close()
    run.seconds += time.monotonic() - began


def _diverged(run: TrainingState, config: TrainConfig, what: str) -> UserError:
    """Return what is to be said of a training whose numbers have grown beyond all bounds."""
    kept = "nothing was saved yet: train again with a lower learning rate"
    further = "another --out and a lower learning rate"
    if run.lowest_step and run.lowest_step < run.saved_step:
        kept = (
            f"the checkpoint of step {run.saved_step} is kept, but the loss on held-out clips had "
            f"risen by then, and was lowest at step {run.lowest_step}: go on from that with "
            f"--from {config.out / LOWEST}, {further}"
        )
    elif run.saved_step:
        kept = (
            f"the checkpoint of step {run.saved_step} is kept: go on from it with "
            f"--from {config.out / 'checkpoint'}, {further}"
        )
    before = f"; the loss of step {run.step - 1} was finite" if run.step else ""
    rate = learning_rate_at(run.step, config)
    return UserError(
        f"the training diverged at step {run.step}, with a learning rate of {rate:.3g} "
        f"({what}{before}); {kept}"
    )


@torch.no_grad()
def _evaluate(
    run: TrainingState, config: TrainConfig, clips: ClipSampler
) -> tuple[dict[str, float], np.ndarray]:
    """Imagine held-out clips with the averaged weights; return the errors, and a filmstrip."""
    predictor = cast(Predictor, run.average.module)
    context = predictor.context
    batches = clips.batches(
        HELD_OUT_CLIPS,
        config.horizon + context - 1,
        context,
        config.seed,
        range(HELD_OUT_BATCHES),
    )
    figures: list[dict[str, float]] = []
    for each in batches:
        batch = _suited(each, predictor, _device(run))
        prediction = free_running_rollout(predictor, batch.clip, batch.places[:, context - 1])
        found = errors(prediction, batch, context, config)
        figures.append(
            {
                **{name: error.item() for name, error in found.items()},
                "error_over_still": error_over_persistence(prediction, batch, context),
            }
        )
    means = _means(figures)
    if not np.isfinite(means.get("loss", np.nan)):
        raise _diverged(run, config, "the loss on held-out clips is not finite")
    rows = []
    for shown in range(SHOWN_CLIPS):
        rows.append(to_uint8(batch.clip.frames[shown, context:]))
        rows.append(to_uint8(prediction.frames[shown]))
    return means, filmstrip(rows, ["truth", "imagined"] * SHOWN_CLIPS)


def _report(
    run: TrainingState,
    out: Path,
    means: dict[str, float],
    picture: np.ndarray,
    board: SummaryWriter,
) -> str:
    """Write the errors on held-out clips and the filmstrip; return the errors as a line."""
    for name, value in means.items():
        board.add_scalar(f"held_out/{name}", value, run.step)
    line = json.dumps({"step": run.step, "seconds": round(run.seconds, 1), **means})
    with (out / "log.jsonl").open("a") as log:
        log.write(line + "\n")
    write_png(out / "filmstrips" / f"{run.step:06d}.png", picture)
    return line


def _means(figures: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure; NaNs are left out, and so is a figure that has only NaNs."""
    means = {}
    for name in figures[0]:
        column = np.array([each[name] for each in figures])
        if not np.isnan(column).all():
            means[name] = round(float(np.nanmean(column)), 5)
    return means


def _context(run: TrainingState) -> int:
    return cast(Predictor, run.model).context


def _device(run: TrainingState) -> torch.device:
    return next(run.model.parameters()).device


def _suited(batch: Batch, predictor: Predictor, device: torch.device) -> Batch:
    """Return a batch on a device, without points if the predictor imagines frames only."""
    points = slice(0) if isinstance(predictor, FramesOnly) else slice(None)
    return Batch(
        batch.clip.to(device),
        batch.places[:, :, points].to(device),
        batch.valid[:, :, points].to(device),
    )


def _read(episodes: EpisodeSource, progress: bool) -> Kept:
    bar = tqdm(range(len(episodes.numbers)), "reading", unit="episode", disable=not progress)
    return Kept(episodes, [episodes.packed(index) for index in bar])
