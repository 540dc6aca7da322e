"""Which scores of a predictor tell how well it can be planned with?

Every model is judged by all of them, and by control.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from visual_foresight.control.config import parse
from visual_foresight.episodes.dataset import Episodes
from visual_foresight.evaluation.control.command import (
    ControlConfig,
    evaluate_control,
    require_known,
)
from visual_foresight.evaluation.prediction.command import (
    PredictionConfig,
    evaluate_episodes,
    figures_of,
)
from visual_foresight.evaluation.prediction.perceptual import Perceptual, find_perceptual
from visual_foresight.evaluation.ranking.command import RankingConfig, evaluate_ranking
from visual_foresight.evaluation.records import Record, find_record
from visual_foresight.evaluation.statistics import spearman
from visual_foresight.evaluation.suites import SUITES
from visual_foresight.evaluation.tables import Table
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.system.files import write_bytes
from visual_foresight.system.fingerprint import fingerprint
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
HORIZON = 12  # imagined steps


@dataclass(frozen=True)
class CompareConfig:
    """Which models to compare, on what."""

    models: tuple[str, ...]
    """Names of predictors, or folders of checkpoints."""
    data: Path = Path("data/sample")
    """Folder of episodes that none of them was trained on."""
    clips: int = 200
    """Clips on which frames and pixel maps are judged."""
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
    """Of tasks and contact states; 0 are the published ones."""
    weights: Path | None = None
    """Folder with the weights that LPIPS and FVD need."""
    lpips_net: Literal["alex", "vgg"] = "alex"
    """LPIPS's backbone."""
    workers: int = 2
    """Processes."""
    out: Path = Path("runs")
    """Folder of per-trial results (`control`), contact states (`ranking`) and the models' other
    scores (`scores`); what is there is not made again."""

    def __post_init__(self) -> None:
        if len(set(self.models)) < max(len(self.models), 1):
            raise UserError(f"one model or more is needed, each named once, got {self.models}")
        if not 1 <= self.step <= HORIZON:
            raise UserError(
                f"the step that counts is one of 1 to {HORIZON}, got {self.step}: choose another"
            )


def compare_models(config: CompareConfig) -> dict[str, Any]:
    """Judge each model's predictions, rankings and control, and how each score goes with
    success over the models.

    A model of frames alone is judged and planned with by a tracker that follows the designated
    pixel through its frames.

    Returns:
        {"models": {model: scores}, "correlations": {score: {suite: correlation}}, "step",
        "trials", "preset", "seed"}. Scores,
        where they could be measured: "psnr", "ssim", "lpips" of frames and "ratio" (pixel error
            over still's, with
        "interval_ratio") at that step, "fvd"; "spearman" and "regret" of the ranking, with
        intervals; and for each suite "success_" + suite, within 5 cm, with interval.
        Correlations: Spearman's over the models, of scores turned so that more is better;
        absent below three models, and where a side is constant.
    """
    episodes = Episodes(config.data)
    info = episodes.info
    for model in config.models:
        # refuses what the hours to come would
        load(model, "cpu", info.frame_size, info.action_size, info.state_size)
    trials = ControlConfig(
        methods=config.models,
        suites=config.suites,
        trials=config.trials,
        preset=config.preset,
        seed=config.seed,
        workers=config.workers,
        out=config.out / "control",
    )
    require_known(trials, SUITES)
    perceptual = find_perceptual(config.weights, config.lpips_net, HORIZON)
    scores = tqdm(config.models, "scores", dynamic_ncols=True)
    figures = {model: _scores(model, config, episodes, perceptual) for model in scores}
    control = evaluate_control(trials)
    for suite, rows in control["suites"].items():
        for model, row in rows.items():
            figures[model] |= {
                f"success_{suite}": row["success_5cm"],
                f"interval_success_{suite}": row["interval_5cm"],
            }
    return {
        "models": figures,
        "correlations": correlations(figures, config.suites),
        **{name: getattr(config, name) for name in ("step", "trials", "preset", "seed")},
    }


def _scores(
    model: str, config: CompareConfig, episodes: Episodes, perceptual: Perceptual
) -> Record:
    """Return a model's scores but control's, from the disk where the same checkpoint was judged in the same way before."""
    weights = parse(model, config.preset).weights
    data = [asdict(episodes.info), episodes.fingerprint()]
    how = [
        config.clips,
        config.step,
        config.states,
        config.seed,
        config.lpips_net,
        perceptual.notes,
    ]
    path = config.out / "scores" / f"{fingerprint([weights, data, how])}.json"
    found = find_record(path)
    if found is None:
        found = _predicting(model, config, episodes, perceptual) | _ranking(model, config)
        write_bytes(path, json.dumps(found, allow_nan=False).encode())
    return found


def _predicting(
    model: str, config: CompareConfig, episodes: Episodes, perceptual: Perceptual
) -> Record:
    """Return the scores of a model's predictions at the step that counts."""
    info = episodes.info
    predictor = with_tracker(
        load(model, "cpu", info.frame_size, info.action_size, info.state_size)
    )
    how = PredictionConfig(config.data, model, clips=config.clips, horizon=HORIZON)
    recorded = [episodes[index] for index in range(len(episodes))]
    figures = figures_of(
        evaluate_episodes(predictor, recorded, how, perceptual), predictor.context
    )
    step = figures["steps"][str(config.step)]
    wanted = ("psnr", "ssim", "lpips", "ratio", "interval_ratio")
    scores = {name: step[name] for name in wanted if name in step}
    return scores | ({"fvd": figures["fvd"]} if "fvd" in figures else {})


def _ranking(model: str, config: CompareConfig) -> Record:
    """Return the scores of how a model ranks candidates."""
    out = config.out / "ranking"
    found = evaluate_ranking(
        RankingConfig(model, config.states, seed=config.seed, workers=config.workers, out=out)
    )
    return {
        name: found[name]
        for name in ("spearman", "interval_spearman", "regret", "interval_regret")
    }


def correlations(
    figures: Mapping[str, Mapping[str, Any]], suites: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Return how the order of the models by each score goes with their order by success (see `compare_models`)."""
    found: dict[str, dict[str, float]] = {}
    for score, sign in SCORES.items():
        for suite in suites:
            pairs = [
                (sign * each[score], each[f"success_{suite}"])
                for each in figures.values()
                if score in each
            ]
            sides = np.array(pairs, np.float64).reshape(-1, 2).T
            if len(pairs) >= 3 and np.ptp(sides, axis=1).all():
                found.setdefault(score, {})[suite] = spearman(*sides)
    return found


def as_text(figures: Mapping[str, Any]) -> str:
    """Return the figures of `compare_models` for a terminal.

    A row per model, and how each column goes with success.
    """
    suites = [
        name for name in next(iter(figures["models"].values())) if name.startswith("success_")
    ]
    columns = [
        name
        for name in (*SCORES, *suites)
        if any(name in each for each in figures["models"].values())
    ]
    rows = [
        (model, *(_cell(each, name) for name in columns))
        for model, each in figures["models"].items()
    ]
    for suite in (name.removeprefix("success_") for name in suites):
        found = (figures["correlations"].get(name, {}).get(suite) for name in columns)
        rows.append(
            (
                f"goes with {suite}",
                *("" if value is None else f"{value:+.2f}" for value in found),
            )
        )
    title = f"step {figures['step']}; {figures['trials']} trials, preset {figures['preset']}, seed {figures['seed']}"
    return "\n".join(Table(title, ("model", *columns), tuple(rows)).lines())


def _cell(scores: Mapping[str, Any], name: str) -> str:
    if name not in scores:
        return ""
    form = ".1f" if name in ("psnr", "fvd") else ".2f"
    bounds = scores.get(f"interval_{name}")
    return f"{scores[name]:{form}}" + (
        f" [{bounds[0]:{form}}, {bounds[1]:{form}}]" if bounds else ""
    )
