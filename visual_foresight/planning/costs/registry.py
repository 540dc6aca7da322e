"""The costs by their names; a goal names the one that belongs to it."""

from typing import cast

from visual_foresight.interfaces import Cost
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
"""Name -> a class built from a goal and the weight of the last imagined step."""


def cost_for(goal: Goal, final_weight: float) -> Cost:
    """Return the cost of a goal; every imagined step but the last has weight 1."""
    return cast(Cost, COSTS[goal.cost](goal, final_weight))
