"""Which scores of a predictor tell how well it can be planned with: `evaluate family`.

Each model is evaluated on prediction, ranking and control; then the models' order by each score
is compared with their order by success.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from visual_foresight.control.methods import weights_of
from visual_foresight.episodes.info import DatasetInfo
from visual_foresight.episodes.opening import open_episodes
from visual_foresight.episodes.source import EpisodeSource, identity, in_views
from visual_foresight.evaluation.control.command import (
    ControlConfig,
    evaluate_control,
    methods_of,
)
from visual_foresight.evaluation.prediction import command as prediction
from visual_foresight.evaluation.prediction.command import (
    PredictionConfig,
    evaluate_episodes,
    figures_of,
)
from visual_foresight.evaluation.prediction.perceptual import Perceptual, find_perceptual
from visual_foresight.evaluation.ranking import command as ranking
from visual_foresight.evaluation.ranking import contact_states
from visual_foresight.evaluation.ranking.command import RankingConfig, evaluate_ranking
from visual_foresight.evaluation.records import Record, find_record
from visual_foresight.evaluation.statistics import spearman
from visual_foresight.evaluation.suites import SUITES
from visual_foresight.evaluation.tables import Table
from visual_foresight.interfaces import Predictor
from visual_foresight.predictors.checkpoints import load, views_of
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.system.files import require_folder, write_bytes
from visual_foresight.system.fingerprint import fingerprint
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import UserError

SCORES = {
    "psnr": 1,
    "ssim": 1,
    "lpips": -1,
    "fvd": -1,
    "ratio": -1,
    "spearman": 1,
    "regret": -1,
}
"""Score -> whether more (1) or less (-1) of it is better."""
HORIZON = 12
"""Imagined steps."""
PROTOCOLS = {
    "prediction": prediction.PROTOCOL,
    "ranking": [ranking.PROTOCOL, contact_states.PROTOCOL],
}
"""Versions of how scores are measured: scores of others are not taken for these."""
MIN_MODELS = 3
"""Fewer models have no correlation."""


@dataclass(frozen=True)
class CompareConfig:
    """Which models to compare, on what."""

    models: tuple[str, ...]
    """Names of predictors, or folders of checkpoints."""
    data: Path = Path("data/sample")
    """Folder of episodes that none of them was trained on."""
    clips: int = 200
    """Clips on which frames and pixel maps are evaluated."""
    step: int = 10
    """Imagined step whose scores count."""
    states: int = 50
    """Contact states in which candidates are ranked."""
    suites: tuple[str, ...] = ("near", "far")
    """Suites of tasks."""
    trials: int = 50
    """Trials per suite."""
    preset: str = "fast"
    """How widely to search in these trials."""
    seed: int = 0
    """Decides tasks and contact states; 0 is the published ones."""
    weights: Path | None = None
    """Folder with the weights that LPIPS and FVD need."""
    lpips_net: Literal["alex", "vgg"] = "alex"
    """LPIPS's backbone."""
    workers: int = 2
    """Processes."""
    out: Path = Path("runs")
    """Folder of per-trial results (`control`), contact states (`ranking`) and the other scores
    (`scores`); what is there is not made again."""

    def __post_init__(self) -> None:
        if len(set(self.models)) < max(len(self.models), 1):
            raise UserError(
                f"one model or more is needed, each named once, got {self.models}: name others"
            )
        if not 1 <= self.step <= HORIZON:
            raise UserError(
                f"the step that counts is one of 1 to {HORIZON}, got {self.step}: choose another"
            )
        require_seed(self.seed)


def compare_models(config: CompareConfig) -> dict[str, Any]:
    """Score each model, and correlate each score with success over the models.

    A model of frames alone is wrapped in a tracker, which follows designated pixels through its
    frames.

    Returns:
        {"models": {model: scores}, "correlations": {score: {suite: correlation}}, "step",
        "trials", "preset", "seed"}. Scores, where they could be measured:

        psnr, ssim, lpips, ratio, interval_ratio: of frames and of pixel maps (error over the
            persistence baseline's) at that step; fvd: of whole clips.
        spearman, regret, interval_spearman, interval_regret: of the ranking.
        success_SUITE, interval_success_SUITE: share of a suite's trials that end within 5 cm.

        A correlation is Spearman's over the models, of scores turned so that more is better; it
        is absent below three models, and where a side is constant.

    Raises:
        UserError: a model, a suite or the preset is unknown, or a model does not fit the data.
    """
    episodes = open_episodes(config.data)
    for model in config.models:  # refuses what cannot be loaded before hours of work
        _load(model, in_views(episodes, views_of(model)).info)
    trials = ControlConfig(
        methods=config.models,
        suites=config.suites,
        trials=config.trials,
        preset=config.preset,
        seed=config.seed,
        workers=config.workers,
        out=config.out / "control",
    )
    methods_of(trials, SUITES)  # likewise
    require_folder(config.out, "the scores")
    perceptual = find_perceptual(config.weights, config.lpips_net, HORIZON)
    models = {}
    for model in tqdm(config.models, "scores", dynamic_ncols=True):
        models[model] = _find_scores(model, config, episodes, perceptual)
    for suite, rows in evaluate_control(trials)["suites"].items():
        for model, row in rows.items():
            models[model][f"success_{suite}"] = row["success_5cm"]
            models[model][f"interval_success_{suite}"] = row["interval_5cm"]
    return {
        "models": models,
        "correlations": correlations(models, config.suites),
        "step": config.step,
        "trials": config.trials,
        "preset": config.preset,
        "seed": config.seed,
    }


def _find_scores(
    model: str, config: CompareConfig, episodes: EpisodeSource, perceptual: Perceptual
) -> Record:
    """Return a model's scores but control's; read them where they were measured before.

    They are kept by the protocols, the checkpoint's content, the data, and how they are measured.
    """
    weights = weights_of(model)
    how = [
        HORIZON,
        config.clips,
        config.step,
        config.states,
        config.seed,
        config.lpips_net,
        perceptual.notes,
        perceptual.i3d,
    ]
    path = (
        config.out
        / "scores"
        / f"{fingerprint([PROTOCOLS, weights, identity(episodes), how])}.json"
    )
    found = find_record(path)
    if found is None:
        found = {
            **_prediction_scores(model, config, episodes, perceptual),
            **_ranking_scores(model, config),
        }
        write_bytes(path, json.dumps(found, allow_nan=False).encode())
    return found


def _load(model: str, info: DatasetInfo) -> Predictor:
    """Return a predictor that fits the data."""
    return load(
        model,
        "cpu",
        info.frame_size,
        info.action_size,
        info.state_size,
        views=tuple(info.views),
    )


def _prediction_scores(
    model: str, config: CompareConfig, episodes: EpisodeSource, perceptual: Perceptual
) -> Record:
    """Return the scores of a model's predictions at the step that counts."""
    seen = in_views(episodes, views_of(model))
    predictor = with_tracker(_load(model, seen.info))
    how = PredictionConfig(config.data, model, clips=config.clips, horizon=HORIZON)
    recorded = [seen.packed(index).unpack() for index in range(len(seen.numbers))]
    evaluation = evaluate_episodes(predictor, recorded, how, perceptual)
    figures = figures_of(evaluation, predictor.context)
    step = figures["steps"][str(config.step)]
    wanted = ("psnr", "ssim", "lpips", "ratio", "interval_ratio")
    scores = {name: step[name] for name in wanted if name in step}
    if "fvd" in figures:
        scores["fvd"] = figures["fvd"]
    return scores


def _ranking_scores(model: str, config: CompareConfig) -> Record:
    """Return the scores of how a model ranks candidates."""
    figures = evaluate_ranking(
        RankingConfig(
            model,
            config.states,
            seed=config.seed,
            workers=config.workers,
            out=config.out / "ranking",
        )
    )
    wanted = ("spearman", "interval_spearman", "regret", "interval_regret")
    return {name: figures[name] for name in wanted}


def correlations(
    models: Mapping[str, Mapping[str, Any]], suites: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the rank correlation of each score with success in each suite.

    Args:
        models: the scores of each model, as in `compare_models`.
        suites: whose success counts.

    Returns:
        {score: {suite: correlation}}, see `compare_models`.
    """
    found: dict[str, dict[str, float]] = {}
    for score, sign in SCORES.items():
        scored = [each for each in models.values() if score in each]
        values = np.array([sign * each[score] for each in scored], np.float64)
        for suite in suites:
            successes = np.array([each[f"success_{suite}"] for each in scored], np.float64)
            if len(scored) >= MIN_MODELS and np.ptp(values) and np.ptp(successes):
                found.setdefault(score, {})[suite] = spearman(values, successes)
    return found


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of `compare_models` for a terminal.

    A row per model, and one per suite with the correlation of each column with success in it.
    """
    models = figures["models"]
    suites = [
        name.removeprefix("success_")
        for name in next(iter(models.values()))
        if name.startswith("success_")
    ]
    columns = [
        name
        for name in (*SCORES, *(f"success_{suite}" for suite in suites))
        if any(name in scores for scores in models.values())
    ]
    rows = [
        (model, *(_cell(scores, name) for name in columns)) for model, scores in models.items()
    ]
    for suite in suites:
        cells = []
        for name in columns:
            value = figures["correlations"].get(name, {}).get(suite)
            cells.append("" if value is None else f"{value:+.2f}")
        rows.append((f"correlation with {suite}", *cells))
    title = (
        f"step {figures['step']}; {figures['trials']} trials, preset {figures['preset']}, "
        f"seed {figures['seed']}"
    )
    return "\n".join(Table(title, ("model", *columns), tuple(rows)).lines())


def _cell(scores: Mapping[str, Any], name: str) -> str:
    if name not in scores:
        return ""
    form = ".1f" if name in ("psnr", "fvd") else ".2f"
    value = f"{scores[name]:{form}}"
    if f"interval_{name}" not in scores:
        return value
    low, high = scores[f"interval_{name}"]
    return f"{value} [{low:{form}}, {high:{form}}]"
