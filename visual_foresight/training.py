"""One training loop for every predictor: free-running imagination against what happened.

A run is a folder: `state.pt` to resume from, `checkpoint/` (averaged weights, what planners load), `log.jsonl`, TensorBoard
events and filmstrips. A run killed at any moment and resumed gives the same weights as one never killed.
"""

import contextlib
import json
import math
import pickle
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from visual_foresight import predictors
from visual_foresight.devices import bfloat16_pays, find_device, keep_freed_memory
from visual_foresight.drawing import filmstrip, write_png
from visual_foresight.episodes import DatasetInfo, Episodes
from visual_foresight.examples import Batch, Examples
from visual_foresight.files import replacing
from visual_foresight.interfaces import FramesOnly, Learner, Predictor
from visual_foresight.pixel_maps import expected_places
from visual_foresight.predictors.rehearsal import first_maps, recall, rehearse
from visual_foresight.types import Episode, Prediction, UserError, to_uint8

STATE_FILE = "state.pt"
CALIBRATION_BATCH = 2**31  # the number of the batch to calibrate with: no step's


@dataclass(frozen=True)
class TrainConfig:
    """What to learn from, what to learn, and for how long."""

    data: Path
    """Folder of episodes (see `visual-foresight collect`)."""
    out: Path
    """Folder of the run; a run found there is resumed."""
    predictor: str = "flow"
    """Name of a learned predictor."""
    steps: int = 5200
    """Gradient steps."""
    batch: int = 16
    """Clips per step, at the full horizon (see `batch_at`)."""
    horizon: int = 12
    """Imagined steps per clip at the end of the curriculum."""
    learning_rate: float = 2.5e-3
    """Adam's, at the start; it falls to a twentieth along a cosine."""
    moving_weight: float = 6.0
    """Extra weight of pixels that differ from the newest context frame."""
    track_weight: float = 0.05
    """Weight of a pixel map's error (in pixels, against points followed in the frames)."""
    ema: float = 0.995
    """Decay of the averaged weights."""
    clip_norm: float = 1.0
    """Largest norm of a gradient."""
    held_out_share: float = 0.05
    """Share of the episodes that is only looked at."""
    every: int = 500
    """Steps between checkpoints, looks at held-out clips and filmstrips."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the convolutions and products; auto measures, when a run begins, whether bfloat16 is faster on this machine."""
    seed: int = 0
    """Of the weights and the batches."""


def horizon_at(step: int, config: TrainConfig) -> int:
    """Return the curriculum's number of imagined steps, which grows up to the horizon: a step is learnt best alone."""
    for begin, share in ((0.85, 1.0), (0.7, 0.5), (0.45, 0.25)):
        if step >= begin * config.steps:
            return max(1, round(share * config.horizon))
    return max(1, config.horizon // 12)


def batch_at(step: int, config: TrainConfig) -> int:
    """Return how many clips are learnt from at once: up to three times as many while they are short, at much the same cost."""
    return config.batch * min(3, max(1, config.horizon // horizon_at(step, config)))


def objective(
    predictor: Predictor, batch: Batch, config: TrainConfig, step: int
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Return the loss of gradient step `step`, imagined as in learning (see `interfaces.Rehearser`), and its parts."""
    maps = first_maps(batch.clip, batch.places, predictor.context)
    rng = torch.Generator().manual_seed(int(np.random.SeedSequence([config.seed, step]).generate_state(1)[0]))
    prediction, extra = rehearse(predictor, batch.clip, maps, rng, step / config.steps)
    parts = errors(prediction, batch, predictor.context, config)
    parts = {**parts, "loss": parts["loss"] + extra, "extra": extra}
    return parts["loss"], parts


def errors(prediction: Prediction, batch: Batch, context: int, config: TrainConfig) -> dict[str, Float[Tensor, ""]]:
    """Return what is wrong with the imagination of a batch's clips from their context: "loss", and its parts.

    Frames: Charbonnier, weighted on pixels that differ from the newest context frame, or should. Pixel maps: the distance
    from a map's expected position to where the point was followed to.
    """
    clip = batch.clip
    truth, newest = clip.frames[:, context:], clip.frames[:, context - 1 : context]
    moving = reduce((truth - newest).abs(), "b t c h w -> b t 1 h w", "max") > 0.08
    weight = 1 + config.moving_weight * moving
    wrong = ((prediction.frames - truth).square() + 1e-6).sqrt()
    pixel_loss = (wrong * weight).sum() / (3 * weight.sum())
    missed_px = map_error_px(prediction, batch, context)
    valid = batch.valid[:, context:] & batch.valid[:, context - 1 : context]
    moved_px = (batch.places[:, context:] - batch.places[:, context - 1 : context]).norm(dim=-1)
    # Points that move are few and matter most, but not alone; an error at step t has t causes, and must not drown those before.
    steps = torch.arange(1, valid.shape[1] + 1, device=valid.device)[:, None]
    attention = valid * (1 + moved_px.clamp(max=4) / 2) / steps
    track_loss = (missed_px * attention).sum() / attention.sum().clamp(min=1e-6)
    loss = pixel_loss + config.track_weight * track_loss
    return {"loss": loss, "pixels": pixel_loss, "track_px": track_loss}


def map_error_px(prediction: Prediction, batch: Batch, context: int) -> Float[Tensor, "b t p"]:
    """Return how far the expected position of each map is from where its point was followed to, in pixels."""
    height, width = batch.clip.frames.shape[-2:]
    missed = expected_places(prediction.pixel_maps, (height, width)) - batch.places[:, context:]
    return (missed.square().sum(-1) + 1e-4).sqrt()


@dataclass
class Run:
    """What a run has come to; all of it is in `state.pt`."""

    model: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer
    bfloat16: bool
    """Whether convolutions and products are computed in bfloat16; decided once, when the run begins."""
    data: str
    """Fingerprint of the episodes that are learnt from."""
    step: int = 0
    seconds: float = 0.0

    def save(self, folder: Path, config: TrainConfig) -> None:
        """Write state and checkpoint; each file is whole or not there."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
            "bfloat16": self.bfloat16,
            "data": self.data,
            "config": _comparable(config),
        }
        with replacing(folder / STATE_FILE) as temporary:
            torch.save(state, temporary)
        result = {"steps": self.step, "bfloat16": self.bfloat16, "train_seconds": round(self.seconds)}
        predictors.save(self.average.module, folder / "checkpoint", {**_comparable(config), **result})

    def restore(self, folder: Path, config: TrainConfig) -> None:
        """Go on from `state.pt`; it must come from the same configuration and the same episodes."""
        try:
            state = torch.load(folder / STATE_FILE, weights_only=True, map_location="cpu")
        except (pickle.UnpicklingError, RuntimeError, OSError, EOFError, ValueError, KeyError) as error:
            raise UserError(f"{folder / STATE_FILE} cannot be read: delete the folder to start anew") from error
        mine, its = _comparable(config), state["config"]
        if changed := sorted(name for name in mine.keys() | its.keys() if mine.get(name) != its.get(name)):
            raise UserError(f"{folder} holds a run with another {', '.join(changed)}: choose another --out")
        if state.get("data") != self.data:
            raise UserError(f"{folder} holds a run on other episodes than {config.data} has now: choose another --out")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.bfloat16 = state["step"], state["seconds"], state["bfloat16"]


def train(config: TrainConfig, progress: bool = True) -> Path:
    """Train a predictor, or go on training it, and return the folder of its checkpoint.

    Raises:
        UserError: no such predictor or device, unusable data, or another run in the folder.
    """
    keep_freed_memory()
    device = find_device(config.device)
    episodes = Episodes(config.data)
    learnt, held_out = episodes.split(config.held_out_share, config.seed)
    lessons, unseen = _read(learnt, progress), _read(held_out, progress)
    run = _start(config, episodes.info, device, learnt.fingerprint())
    if (config.out / STATE_FILE).exists():
        run.restore(config.out, config)
    num_actions = config.horizon + cast(Predictor, run.model).context - 1
    table = np.array(episodes.info.table)
    examples, watched = (Examples(part, num_actions, table) for part in (lessons, unseen))
    if run.step == 0:
        experience = next(examples.batches(64, num_actions, config.seed, [CALIBRATION_BATCH]))
        cast(Learner, run.model).calibrate(experience.clip.to(device))
        run.average.module.load_state_dict(run.model.state_dict())
    config.out.mkdir(parents=True, exist_ok=True)
    with (
        contextlib.closing(SummaryWriter(str(config.out / "tensorboard"), purge_step=run.step)) as board,
        tqdm(total=config.steps, initial=run.step, unit="step", disable=not progress) as bar,
    ):
        while run.step < config.steps:
            horizon = horizon_at(run.step, config)
            stop = next(
                s
                for s in range(run.step + 1, config.steps + 1)
                if s == config.steps or s % config.every == 0 or horizon_at(s, config) != horizon
            )
            _advance(run, config, examples, stop, bar)
            if run.step % config.every == 0 or run.step == config.steps:
                run.save(config.out, config)
                _report(run, config, watched, board, bar)
    return config.out / "checkpoint"


def _advance(run: Run, config: TrainConfig, examples: Examples, stop: int, bar: Any) -> None:
    """Take gradient steps up to `stop`, all of the same horizon."""
    device, predictor = next(run.model.parameters()).device, cast(Predictor, run.model)
    num_actions = horizon_at(run.step, config) + predictor.context - 1
    began = time.monotonic()
    for batch in examples.batches(batch_at(run.step, config), num_actions, config.seed, range(run.step, stop)):
        for group in run.optimizer.param_groups:
            group["lr"] = config.learning_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * run.step / config.steps)))
        with torch.autocast(device.type, torch.bfloat16, enabled=run.bfloat16):
            loss, parts = objective(predictor, _fitted(batch, predictor, device), config, run.step)
        run.optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(run.model.parameters(), config.clip_norm)
        if not torch.isfinite(norm):
            raise ValueError(f"the gradient of step {run.step} is not finite: loss {loss.item()}")
        run.optimizer.step()
        run.average.update_parameters(run.model)
        run.step += 1
        bar.update()
        if run.step % 20 == 0:
            bar.set_postfix({name: f"{part.item():.3f}" for name, part in parts.items()}, horizon=num_actions - 1)
    run.seconds += time.monotonic() - began


@torch.no_grad()
def _report(run: Run, config: TrainConfig, watched: Examples, board: SummaryWriter, bar: Any) -> None:
    """Look at held-out clips with the averaged weights: log the losses, draw a filmstrip."""
    predictor = cast(Predictor, run.average.module)
    parts: list[dict[str, float]] = []
    for batch in watched.batches(16, config.horizon + predictor.context - 1, config.seed, range(6)):
        batch = _fitted(batch, predictor, next(run.model.parameters()).device)
        prediction = recall(predictor, batch.clip, first_maps(batch.clip, batch.places, predictor.context))
        found = errors(prediction, batch, predictor.context, config)
        moved = _error_over_still(prediction, batch, predictor.context)
        parts.append({name: part.item() for name, part in found.items()} | moved)
    columns = {name: np.array([part[name] for part in parts]) for name in parts[0]}
    means = {name: round(float(np.nanmean(c)), 5) for name, c in columns.items() if not np.isnan(c).all()}
    for name, value in means.items():
        board.add_scalar(f"held_out/{name}", value, run.step)
    line = json.dumps({"step": run.step, "seconds": round(run.seconds, 1), **means})
    with (config.out / "log.jsonl").open("a") as log:
        log.write(line + "\n")
    bar.write(line)
    pairs = zip(batch.clip.frames[:3, predictor.context :], prediction.frames[:3], strict=True)
    rows = [to_uint8(film) for pair in pairs for film in pair]
    write_png(config.out / "filmstrips" / f"{run.step:06d}.png", filmstrip(rows, ["truth", "imagined"] * 3))


def _fitted(batch: Batch, predictor: Predictor, device: torch.device) -> Batch:
    """Return a batch on a device, without points (p = 0) where the predictor imagines frames only."""
    points = slice(0 if isinstance(predictor, FramesOnly) else None)
    return Batch(batch.clip.to(device), batch.places[:, :, points].to(device), batch.valid[:, :, points].to(device))


def _error_over_still(prediction: Prediction, batch: Batch, context: int) -> dict[str, float]:
    """Return the error at the last step on points that moved, over that of a map that never moves."""
    valid = batch.valid[:, -1] & batch.valid[:, context - 1]
    still_px = (batch.places[:, -1] - batch.places[:, context - 1]).norm(dim=-1)
    moved = valid & (still_px > 3)
    missed_px = map_error_px(prediction, batch, context)[:, -1]
    return {"error_over_still": float(missed_px[moved].sum() / still_px[moved].sum()) if moved.any() else float("nan")}


def _start(config: TrainConfig, info: DatasetInfo, device: torch.device, data: str) -> Run:
    with torch.random.fork_rng():
        torch.manual_seed(config.seed)
        model = predictors.create(config.predictor, {**vars(info), "action_size": info.action_size}).to(device)
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.ema), use_buffers=False)
    bfloat16 = config.precision == "bfloat16" or (config.precision == "auto" and bfloat16_pays(device))
    return Run(model, average, torch.optim.Adam(model.parameters(), lr=config.learning_rate), bfloat16, data)


def _read(episodes: Episodes, progress: bool) -> list[Episode]:
    return [episodes[i] for i in tqdm(range(len(episodes)), unit="episode", desc="reading", disable=not progress)]


def _comparable(config: TrainConfig) -> dict[str, Any]:
    """Return what two runs must share to be one: everything but where they run."""
    where = ("data", "out", "device", "precision")
    return json.loads(json.dumps({name: value for name, value in asdict(config).items() if name not in where}))
