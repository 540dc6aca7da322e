"""The planners by their names."""

from visual_foresight.planning.planners.cem import CEM

PLANNERS = {"cem": CEM}
"""Name -> a class built from a `CEMConfig` and the action size (see `interfaces.Planner`)."""
