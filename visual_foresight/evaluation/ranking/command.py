"""Does a predictor order action sequences as the world does? Near an object, where it matters.

Judged on a bank of contact states (`contacts`), without any simulator.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float

from visual_foresight.evaluation.ranking.contact_states import BankJob, ContactState, load_bank
from visual_foresight.evaluation.statistics import bootstrap_mean, regret, spearman
from visual_foresight.interfaces import Predictor
from visual_foresight.planning.costs.pixel_distance import PixelDistance
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.types import Clip, Pixel, PixelGoal, Prediction, UserError, to_float
from visual_foresight.vision.pixel_maps import map_size_of, splat

COST_UNIT_PX = 0.05
"""True costs that differ by less are equal."""


@dataclass(frozen=True)
class RankingConfig:
    """Which predictor to judge, in how many states."""

    model: str = FLAGSHIP
    """A predictor's name or a checkpoint's folder."""
    states: int = 50
    """Contact states."""
    candidates: int = 64
    """Action sequences per state."""
    horizon: int = 12
    """Actions per sequence."""
    seed: int = 0
    """Decides the states; 0 is the published bank."""
    workers: int = 2
    """Processes that make the bank."""
    out: Path = Path("runs/ranking")
    """Folder where banks are kept."""

    def __post_init__(self) -> None:
        if min(self.states, self.horizon, self.workers) < 1 or self.candidates < 2:
            raise UserError(
                "1 state, action and worker and 2 candidates are the least: raise what is below"
            )
        if self.seed < 0:
            raise UserError(f"a seed is 0 or more, got {self.seed}: choose another")


def evaluate_ranking(config: RankingConfig) -> dict[str, Any]:
    """Make or find the bank, and return how a predictor ranks its candidates (see `rank_candidates`)."""
    load(config.model)  # refuses what cannot be loaded, before a bank is made
    jobs = [
        BankJob(config.seed, index, config.candidates, config.horizon)
        for index in range(config.states)
    ]
    bank = load_bank(jobs, config.out, config.workers)
    height, width = bank[0].frames.shape[1:3]
    predictor = with_tracker(
        load(
            config.model,
            "cpu",
            (height, width),
            bank[0].actions.shape[-1],
            bank[0].states.shape[-1],
        )
    )
    return {"model": config.model, "seed": config.seed, **rank_candidates(predictor, bank)}


@torch.inference_mode()
def rank_candidates(predictor: Predictor, bank: Sequence[ContactState]) -> dict[str, Any]:
    """Compare predicted with true costs: `PixelDistance` on predicted and on true pixel maps,
    on the same grid.

    Returns:
        {"states", "candidates", "spearman", "interval_spearman", "regret", "interval_regret"}:
        means over the states with bootstrap intervals. Regret: what trusting the prediction
        costs, as a share of the spread of true costs; picking at random has "random_regret".
    """
    pairs = [_costs(predictor, contact) for contact in bank]
    rng = np.random.default_rng(0)  # of the intervals only
    orders = bootstrap_mean(
        np.array([spearman(predicted, true) for predicted, true in pairs]), rng
    )
    regrets = bootstrap_mean(
        np.array([regret(predicted, true) for predicted, true in pairs]), rng
    )
    chance = [regret(np.zeros_like(true), true) for _, true in pairs]
    return {
        "states": len(bank),
        "candidates": len(bank[0].candidates),
        "spearman": orders.value,
        "interval_spearman": [orders.low, orders.high],
        "regret": regrets.value,
        "interval_regret": [regrets.low, regrets.high],
        "random_regret": float(np.mean(chance)),
    }


def _costs(
    predictor: Predictor, contact: ContactState
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Return predicted and true costs of the candidates of a state."""
    height, width = contact.frames.shape[1:3]
    goal = PixelGoal((_pixel(contact.source),), (_pixel(contact.target),))
    cost = PixelDistance(goal)
    first = len(contact.frames) - predictor.context
    if first < 0:
        raise UserError(
            f"the bank has {len(contact.frames)} frames of context, the predictor wants {predictor.context}"
        )
    clip = Clip(
        actions=torch.from_numpy(contact.actions[first:])[None],
        frames=to_float(contact.frames[first:])[None],
        states=torch.from_numpy(contact.states[first:])[None],
    )
    actions = torch.from_numpy(contact.candidates)
    grid = map_size_of((height, width))
    maps = splat(goal.sources, grid, (height, width)).expand(len(actions), -1, -1, -1)
    imagined = predictor.imagine(predictor.observe(clip), actions, maps)
    flat = tuple(_pixel(place) for place in rearrange(contact.places, "n t two -> (n t) two"))
    true_maps = rearrange(
        splat(flat, grid, (height, width)), "(n t) h w -> n t 1 h w", n=len(actions)
    )
    lost = torch.zeros(true_maps.shape[:3])
    true = cost(
        Prediction(
            torch.zeros(len(actions), 0, 3, height, width),
            true_maps,
            lost,
            None,
            frame_size=(height, width),
        )
    )
    rounded = np.round(true.double().numpy() / COST_UNIT_PX) * COST_UNIT_PX
    foreseen = cost(imagined).double().numpy()
    if not np.isfinite(foreseen).all():
        raise UserError(
            "the model's costs are not finite: train it again, or choose another checkpoint"
        )
    return foreseen, rounded


def _pixel(place: Float[np.ndarray, "2"]) -> Pixel:
    return Pixel(float(place[0]), float(place[1]))
