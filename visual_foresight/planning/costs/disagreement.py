"""What it costs that the members of a prediction disagree."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Cost
from visual_foresight.planning.costs.needs import require
from visual_foresight.types import Prediction, UserError


@dataclass(frozen=True)
class DisagreementPenalty:
    """Mean cost of a prediction's members, plus a weight times their disagreement.

    Disagreement is the standard deviation of the members' costs. The planners of Ebert et al.
    (2018) add 0.1 times the variance over four models; the deviation keeps the cost's unit. A
    negative weight seeks what is uncertain.
    """

    cost: Cost
    weight: float

    @property
    def needs(self) -> frozenset[str]:
        """Return what the cost needs, but for a latent: every member has one of its own."""
        return self.cost.needs - {"latent"}

    def __call__(self, prediction: Prediction) -> Float[Tensor, " n"]:
        """Return the cost of each candidate.

        Raises:
            UserError: the prediction has no members that could disagree.
        """
        if len(prediction.members) < 2:
            raise UserError(
                "disagreement needs two members or more, and this predictor imagines one future: "
                "choose an ensemble, a stochastic predictor with several samples, or a "
                "disagreement weight of 0"
            )
        costs = torch.stack(
            [self.cost(require(self.cost.needs, member)) for member in prediction.members]
        )
        return costs.mean(0) + self.weight * costs.std(0, correction=0)
