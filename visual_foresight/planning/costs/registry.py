"""The costs by their names, and which one belongs to which kind of goal."""

from typing import cast

from visual_foresight.interfaces import Cost
from visual_foresight.system.plugins import Registry
from visual_foresight.types import Goal, ImageGoal, PixelGoal

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
COST_OF_GOAL = {PixelGoal: "pixel_distance", ImageGoal: "image_distance"}
"""Kind of goal -> the name of its cost."""


def cost_for(goal: Goal, final_weight: float) -> Cost:
    """Return the cost of a goal; every imagined step but the last has weight 1."""
    return cast(Cost, COSTS[COST_OF_GOAL[type(goal)]](goal, final_weight))
