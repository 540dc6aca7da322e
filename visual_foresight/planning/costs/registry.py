"""Which cost belongs to which kind of goal."""

from visual_foresight.interfaces import Cost
from visual_foresight.planning.costs.image_distance import ImageDistance
from visual_foresight.planning.costs.pixel_distance import PixelDistance
from visual_foresight.types import Goal, ImageGoal, PixelGoal

COSTS = {PixelGoal: PixelDistance, ImageGoal: ImageDistance}
"""Kind of goal -> its cost, made of the goal and of the weight of the last imagined step."""


def cost_for(goal: Goal, final_weight: float) -> Cost:
    """Return the cost of a goal; every imagined step but the last has weight 1."""
    cost: Cost = COSTS[type(goal)](goal, final_weight)  # type: ignore[arg-type]
    return cost
