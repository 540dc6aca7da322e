"""The planners by their names."""

from visual_foresight.planning.planners.cem import CEM

PLANNERS = {"cem": CEM}
"""Name -> a class that is made of a `CEMConfig` and the size of an action (see
`interfaces.Planner`)."""
