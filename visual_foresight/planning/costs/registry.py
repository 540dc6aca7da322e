"""The costs by their names; a goal names the one that belongs to it."""

from visual_foresight.interfaces import Cost
from visual_foresight.planning.costs.disagreement import DisagreementPenalty
from visual_foresight.system.plugins import Registry
from visual_foresight.types import Goal

COSTS = Registry(
    "cost",
    "costs",
    {
        "pixel_distance": "visual_foresight.planning.costs.pixel_distance:PixelDistance",
        "image_distance": "visual_foresight.planning.costs.image_distance:ImageDistance",
    },
    Cost,
)
"""Name -> a class built from a goal and the weight of the last imagined step (`final_weight`)."""
OF_GOAL = "auto"
"""Stands for the cost that belongs to the goal."""
FINAL_WEIGHT = 10.0
"""Weight of the last imagined step in published trials; every other step has weight 1."""


def make_cost(
    goal: Goal,
    name: str = OF_GOAL,
    final_weight: float = FINAL_WEIGHT,
    disagreement: float = 0.0,
) -> Cost:
    """Return the cost of futures for a goal.

    Args:
        goal: what is wanted.
        name: a key of `COSTS`, or "auto" for the cost that belongs to the goal.
        final_weight: weight of the last imagined step; every other step has weight 1.
        disagreement: weight of the disagreement of a prediction's members, see
            `DisagreementPenalty`; 0 leaves it out.

    Raises:
        UserError: there is no such cost, or it cannot be had for this goal.
    """
    chosen = goal.cost if name == OF_GOAL else name
    cost: Cost = COSTS.require(chosen, COSTS[chosen](goal, final_weight=final_weight))
    return DisagreementPenalty(cost, disagreement) if disagreement else cost
