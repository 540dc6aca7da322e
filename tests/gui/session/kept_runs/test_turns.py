"""What is kept of a plan for the layers over the frames: members' maps, and the elites."""

import numpy as np
import torch

from visual_foresight.evaluation.prediction.doubt import doubts
from visual_foresight.gui.session.kept_runs.kept_plans import in_memory
from visual_foresight.types import Observation, Pixel, Plan, Prediction
from visual_foresight.vision.pixel_maps import splat

SIZE = (40, 56)
SEEN = Observation({"top": np.zeros((*SIZE, 3), np.uint8)}, np.zeros(2, np.float32))


def member(*rows: float) -> Prediction:
    """Return what a member imagines for two candidates: its pixel in these rows."""
    maps = torch.stack([splat((Pixel(row, 20.0),), (20, 28), SIZE) for row in rows])[:, None]
    frames = torch.zeros(len(rows), 1, 3, *SIZE)
    return Prediction(frames, maps, torch.zeros(len(rows), 1, 1), None, SIZE)


def test_members_still_disagree_and_elites_are_still_there_when_a_plan_is_read_back() -> None:
    elites = torch.rand(5, 1, 2, generator=torch.Generator().manual_seed(0))
    plan = Plan(
        actions=torch.zeros(1, 2),
        sources=(Pixel(20.0, 20.0),),
        prediction=Prediction.average([member(20.0, 30.0), member(24.0, 30.0)]),
        costs=(),
        seconds=0.0,
        runners_up=torch.ones(1, 1, 2),
        elites=elites,
    )
    kept = in_memory([plan], SEEN, "ensemble")[0]
    assert torch.equal(kept.elites, elites)
    for rank, disagreement in enumerate((2.0, 0.0)):
        np.testing.assert_allclose(doubts(kept.prediction, 0, rank), disagreement, atol=0.01)
