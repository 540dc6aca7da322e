"""The planners by their names."""

from visual_foresight.interfaces import Planner
from visual_foresight.system.plugins import Registry

PLANNERS = Registry(
    "planner", "planners", {"cem": "visual_foresight.planning.planners.cem:CEM"}, Planner
)
"""Name -> a class built from a `CEMConfig` and the action size (see `interfaces.Planner`)."""
