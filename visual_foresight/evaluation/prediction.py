"""How well a predictor foresees recorded episodes: where points of pushed objects go, and what frames look like.

The points are true ones (`Episode.tracks`), so this is for judges; the predictor gets frames, states and actions only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange, reduce
from jaxtyping import Bool, Float, Float32, UInt8

from visual_foresight.episodes import Episodes
from visual_foresight.evaluation.metrics import bootstrap_ratio, position_error, psnr
from visual_foresight.interfaces import Predictor
from visual_foresight.pixel_maps import splat
from visual_foresight.predictors import load
from visual_foresight.types import Clip, Episode, Pixel, UserError, to_float

FIRST_NOW, EVERY = 1, 3
"""Imagining starts from frames 1, 4, 7 and so on of an episode, whatever the predictor's context."""
MOVES_PX = 3.0
"""A point counts when it gets farther than this from its start within the horizon."""
SAME_LOOK = 40.0
"""Mean difference of colour (0 to 255) to when a point was picked, from which on it is taken to be hidden."""
MAX_POINTS = 8
MAP_STRIDE = 2
BATCH = 16


@dataclass(frozen=True)
class PredictionConfig:
    """Which predictor to judge, on which episodes."""

    data: Path
    """Folder of episodes that the predictor was not trained on."""
    model: str = "flow"
    """A predictor's name or a checkpoint's folder."""
    horizon: int = 12
    """Actions to imagine."""

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise UserError(f"a horizon of 1 action or more is needed, got {self.horizon}")


@dataclass(frozen=True)
class Window:
    """A stretch of an episode: what is given, what then happens, and the points that move in it."""

    episode: int
    frames: UInt8[np.ndarray, "context h w 3"]
    states: Float32[np.ndarray, "context s"]
    done: Float32[np.ndarray, "context_minus_1 a"]
    actions: Float32[np.ndarray, "t a"]
    future: UInt8[np.ndarray, "t h w 3"]
    places: Float32[np.ndarray, "t_plus_1 p 2"]
    """(row, col) now and after each action, of `MAX_POINTS` points, made up where there are fewer."""
    counts: Bool[np.ndarray, " p"]
    """Which of the points are real."""


def judge_model(config: PredictionConfig) -> dict[str, Any]:
    """Load a predictor and episodes and return what `evaluate_prediction` says of them."""
    episodes = Episodes(config.data)
    height, width = episodes.info.frame_size
    predictor = load(config.model, frame_size=(height, width), action_size=episodes.info.action_size)
    recorded = [episodes[index] for index in range(len(episodes))]
    return {"model": config.model, **evaluate_prediction(predictor, recorded, config.horizon)}


@torch.inference_mode()
def evaluate_prediction(predictor: Predictor, episodes: Sequence[Episode], horizon: int = 12) -> dict[str, Any]:
    """Judge a predictor on episodes, beside `still`, which predicts that nothing moves.

    Args:
        predictor: free-running from its context over the horizon.
        episodes: with true tracks.
        horizon: actions.

    Returns:
        {"clips", "points", "steps": {"1": {"error_px", "still_px", "ratio", "interval_ratio", "psnr", "still_psnr"}, ...}},
        plain JSON values. Error: of the expected position of a designated pixel on an object that moves; its ratio over
        still's has a bootstrap interval over episodes. PSNR: of all frames, in dB.

    Raises:
        UserError: nothing can be judged: episodes too short or without tracks, or no object moves.
    """
    windows = list(_windows(episodes, predictor.context, horizon))
    num_points = sum(int(window.counts.sum()) for window in windows)
    if not num_points:
        raise UserError(
            f"in {len(episodes)} episodes no tracked object moves within {horizon} actions: give more episodes, or "
            "longer ones, collected with tracks"
        )
    sums = np.zeros((5, len(episodes), horizon))  # errors, errors of still, points; PSNR, that of still
    num_windows = np.zeros(len(episodes))
    for start in range(0, len(windows), BATCH):
        batch = windows[start : start + BATCH]
        for window, figures in zip(batch, _judge(predictor, batch), strict=True):
            sums[:, window.episode] += figures
            num_windows[window.episode] += 1
    steps = {str(step + 1): _figures(sums[:, :, step], num_windows) for step in range(horizon)}
    return {"clips": len(windows), "points": num_points, "steps": steps}


def _figures(sums: Float[np.ndarray, "5 episodes"], num_windows: Float[np.ndarray, " episodes"]) -> dict[str, Any]:
    """Return the figures of one step."""
    errors, still, points, quality, still_quality = sums
    rng = np.random.default_rng(0)  # of the intervals only, so that the same episodes give the same figures
    ratio = bootstrap_ratio(errors, still, rng)
    mean = bootstrap_ratio(errors, points, rng)
    return {
        "error_px": mean.value,
        "interval_px": [mean.low, mean.high],
        "still_px": float(still.sum() / points.sum()),
        "ratio": ratio.value,
        "interval_ratio": [ratio.low, ratio.high],
        "psnr": float(quality.sum() / num_windows.sum()),
        "still_psnr": float(still_quality.sum() / num_windows.sum()),
    }


def _windows(episodes: Sequence[Episode], context: int, horizon: int) -> Iterator[Window]:
    """Yield all stretches of all episodes that are judged."""
    for number, episode in enumerate(episodes):
        kinds = episode.meta.get("track_kinds", ["unknown"] * episode.tracks.shape[1])
        points = np.array([kind == "object" for kind in kinds], bool)
        for now in range(FIRST_NOW, len(episode.actions) - horizon + 1, EVERY):
            ahead = slice(now, now + horizon + 1)
            chosen = np.flatnonzero(points & _moving(episode, ahead) & _seen(episode, now))[:MAX_POINTS]
            padded = np.zeros((horizon + 1, MAX_POINTS, 2), np.float32)
            padded[:, : len(chosen)] = episode.tracks[ahead][:, chosen]
            given = np.arange(now - context + 1, now + 1)  # before the first frame, the world is taken to stand still
            done = np.where((given[:-1] >= 0)[:, None], episode.actions[given[:-1].clip(0)], 0)
            yield Window(
                episode=number,
                frames=episode.frames[given.clip(0)],
                states=episode.states[given.clip(0)],
                done=done.astype(np.float32),
                actions=episode.actions[now : now + horizon],
                future=episode.frames[now + 1 : now + 1 + horizon],
                places=padded,
                counts=np.arange(MAX_POINTS) < len(chosen),
            )


def _moving(episode: Episode, ahead: slice) -> Bool[np.ndarray, " p"]:
    """Tell which points move, and stay in the frame."""
    places, size = episode.tracks[ahead], np.array(episode.frames.shape[1:3])
    inside = ((places >= -0.5) & (places < size - 0.5)).all((0, 2))
    return inside & (np.linalg.norm(places - places[:1], axis=-1).max(0, initial=0) > MOVES_PX)


def _seen(episode: Episode, now: int) -> Bool[np.ndarray, " p"]:
    """Tell which points can be seen: they look as they did in the first frame, where they were picked."""

    def look(frame: int) -> Float[np.ndarray, "p 3"]:
        places = np.round(episode.tracks[frame]).astype(int)
        row, col = (places[:, axis].clip(1, episode.frames.shape[1 + axis] - 2) for axis in (0, 1))
        around = [episode.frames[frame, row + down, col + right] for down in (-1, 0, 1) for right in (-1, 0, 1)]
        return np.mean(around, axis=0)

    return np.abs(look(now) - look(0)).mean(-1) < SAME_LOOK


def _judge(predictor: Predictor, batch: Sequence[Window]) -> Float[np.ndarray, "b 5 t"]:
    """Imagine a batch and return sums over points (error, error of still, count) and PSNRs (its, still's) per step."""
    clip = Clip(
        actions=torch.from_numpy(np.stack([window.done for window in batch])),
        frames=to_float(np.stack([window.frames for window in batch])),
        states=torch.from_numpy(np.stack([window.states for window in batch])),
    )
    height, width = clip.frames.shape[-2:]
    grid = (max(height // MAP_STRIDE, 1), max(width // MAP_STRIDE, 1))
    sources = [tuple(Pixel(float(row), float(col)) for row, col in window.places[0]) for window in batch]
    maps = torch.stack([splat(pixels, grid, (height, width)) for pixels in sources])
    actions = torch.from_numpy(np.stack([window.actions for window in batch]))
    imagined = predictor.imagine(predictor.observe(clip), actions, maps, decode=True)
    true = torch.from_numpy(np.stack([window.places[1:] for window in batch]))
    start = torch.from_numpy(np.stack([window.places[:1] for window in batch]))
    real = rearrange(torch.from_numpy(np.stack([window.counts for window in batch])), "b p -> b 1 p")
    errors = position_error(imagined.pixel_maps.float(), true, (height, width)) * real
    still = torch.linalg.vector_norm(true - start, dim=-1) * real
    future = to_float(np.stack([window.future for window in batch]))
    rows = [reduce(part, "b t p -> b t", "sum") for part in (errors, still, (real > 0).expand_as(errors).float())]
    rows += [psnr(imagined.frames.float(), future), psnr(clip.frames[:, -1:].expand_as(future), future)]
    return torch.stack(rows, dim=1).double().numpy()
