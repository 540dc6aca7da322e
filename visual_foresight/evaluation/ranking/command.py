"""Whether a predictor orders action sequences as the world does: `evaluate ranking`.

It is measured near objects, where the order matters: on a bank of contact states
(`contact_states`), which needs no simulator once it is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float

from visual_foresight.control.world import require_one_view, world_of
from visual_foresight.envs.registry import require
from visual_foresight.evaluation.ranking.contact_states import BankJob, ContactState, load_bank
from visual_foresight.evaluation.statistics import bootstrap_mean, regret, spearman
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Predictor
from visual_foresight.planning.costs.pixel_distance import PixelDistance
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.predictors.wrappers.tracked_frames import with_tracker
from visual_foresight.system.files import require_folder
from visual_foresight.system.seeds import require_seed
from visual_foresight.types import Clip, Pixel, Prediction, UserError, to_float
from visual_foresight.vision.pixel_maps import map_size_of, places_of, splat

PROTOCOL = 1
"""Raise it when a change of this file changes figures: kept scores are then made anew."""
COST_UNIT_PX = 0.05
"""Costs are rounded to multiples of this, so that true costs that differ by less are equal."""


@dataclass(frozen=True)
class RankingConfig:
    """Which predictor to evaluate, in how many states."""

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
                "1 state, action and worker and 2 candidates are the least: raise what is less"
            )
        require_seed(self.seed)


def evaluate_ranking(config: RankingConfig) -> dict[str, Any]:
    """Make or find the bank, and return how a predictor ranks it (see `rank_candidates`).

    Raises:
        UserError: the model cannot be loaded or does not fit, or the bank cannot be made, written
            or read.
    """
    load(config.model)  # refuses what cannot be loaded, before a bank is made
    world = world_of(config.model)
    require_one_view(world, "a bank of contact states")
    require(BankJob.env)
    require_folder(config.out, "the bank")
    jobs = [
        BankJob(config.seed, index, config.candidates, config.horizon, world=world)
        for index in range(config.states)
    ]
    bank = load_bank(jobs, config.out, config.workers)
    height, width = bank[0].frames.shape[1:3]
    action_size = bank[0].actions.shape[-1]
    state_size = bank[0].states.shape[-1]
    model = load(config.model, "cpu", (height, width), action_size, state_size)
    figures = rank_candidates(with_tracker(model), bank)
    return {"model": config.model, "seed": config.seed, **figures}


@torch.inference_mode()
def rank_candidates(predictor: Predictor, bank: Sequence[ContactState]) -> dict[str, Any]:
    """Compare predicted with true costs of candidates.

    Both are `PixelDistance`, on predicted and on true pixel maps of the same grid.

    Args:
        predictor: what imagines the candidates.
        bank: contact states, one or more, of equal numbers of candidates.

    Returns:
        {"states", "candidates", "spearman", "interval_spearman", "regret", "interval_regret",
        "random_regret"}: means over the states with bootstrap intervals. Regret is what trusting
        the prediction costs, as a share of the spread of true costs; random regret is that of a
        candidate chosen at random.
    """
    correlations = []
    regrets = []
    random_regrets = []
    for contact in bank:
        predicted = _predicted_costs(predictor, contact)
        true = _true_costs(contact)
        correlations.append(spearman(predicted, true))
        regrets.append(regret(predicted, true))
        random_regrets.append(regret(np.zeros_like(true), true))
    # Seeded, so that the same costs always give the same intervals.
    rng = np.random.default_rng(0)
    mean_correlation = bootstrap_mean(np.array(correlations), rng)
    mean_regret = bootstrap_mean(np.array(regrets), rng)
    return {
        "states": len(bank),
        "candidates": len(bank[0].candidates),
        "spearman": mean_correlation.value,
        "interval_spearman": [mean_correlation.low, mean_correlation.high],
        "regret": mean_regret.value,
        "interval_regret": [mean_regret.low, mean_regret.high],
        "random_regret": float(np.mean(random_regrets)),
    }


def _predicted_costs(predictor: Predictor, contact: ContactState) -> Float[np.ndarray, " n"]:
    """Return the costs of a state's candidates, as the predictor imagines them."""
    first = len(contact.frames) - predictor.context
    if first < 0:
        raise UserError(
            f"the bank has {len(contact.frames)} frames of context, "
            f"the predictor wants {predictor.context}: choose another predictor"
        )
    clip = Clip(
        actions=torch.from_numpy(contact.actions[first:])[None],
        frames=to_float(contact.frames[first:])[None],
        states=torch.from_numpy(contact.states[first:])[None],
    )
    goal = _goal(contact)
    candidates = torch.from_numpy(contact.candidates)
    carry = predictor.designate(predictor.observe(clip), places_of(goal.sources)[None])
    imagined = predictor.imagine(carry, candidates)
    costs = PixelDistance(goal)(imagined).double().numpy()
    if not np.isfinite(costs).all():
        raise UserError(
            "the model's costs are not finite: train it again, or choose another checkpoint"
        )
    return costs


def _true_costs(contact: ContactState) -> Float[np.ndarray, " n"]:
    """Return the costs of a state's candidates in the world, rounded to `COST_UNIT_PX`."""
    height, width = contact.frames.shape[1:3]
    num_candidates = len(contact.candidates)
    places = tuple(_pixel(place) for place in rearrange(contact.places, "n t two -> (n t) two"))
    flat = splat(places, map_size_of((height, width)), (height, width))
    maps = rearrange(flat, "(n t) h w -> n t 1 h w", n=num_candidates)
    future = Prediction(
        frames=torch.zeros(num_candidates, 0, 3, height, width),
        pixel_maps=maps,
        lost=torch.zeros(maps.shape[:3]),
        carry=None,
        frame_size=(height, width),
    )
    costs = PixelDistance(_goal(contact))(future).double().numpy()
    return np.round(costs / COST_UNIT_PX) * COST_UNIT_PX


def _goal(contact: ContactState) -> PixelGoal:
    return PixelGoal((_pixel(contact.source),), (_pixel(contact.target),))


def _pixel(place: Float[np.ndarray, "2"]) -> Pixel:
    return Pixel(float(place[0]), float(place[1]))
