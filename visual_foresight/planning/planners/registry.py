"""The planners by their names, and how one is built from a preset."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from visual_foresight.interfaces import Planner
from visual_foresight.system.plugins import Registry
from visual_foresight.types import UserError


@runtime_checkable
class PlannerClass(Protocol):
    """What a planner is built from."""

    presets: Mapping[str, Any]
    """Named settings, from fast to thorough: frozen dataclasses. "default" is one of them."""

    def __call__(self, config: Any, action_size: int) -> Planner:
        """Build the planner of these settings, for actions of so many numbers."""
        ...


PLANNERS = Registry(
    "planner", "planners", {"cem": "visual_foresight.planning.planners.cem:CEM"}, Planner
)
"""Name -> a `PlannerClass`."""
DEFAULT_PLANNER = "cem"
DEFAULT_PRESET = "default"


def presets_of(planner: str) -> Mapping[str, Any]:
    """Return the presets of a planner: name -> settings.

    Raises:
        UserError: there is no such planner, or it has no presets.
    """
    planner_class = PLANNERS[planner]
    if not isinstance(planner_class, PlannerClass):
        raise UserError(
            f"the planner {planner!r} has no presets, which every planner needs: add them to its "
            "class, or uninstall the package that brings it"
        )
    return planner_class.presets


def settings_of(planner: str, preset: str) -> Any:
    """Return the settings of a preset.

    Raises:
        UserError: there is no such planner or preset.
    """
    presets = presets_of(planner)
    if preset not in presets:
        raise UserError(f"unknown preset {preset!r}: choose one of {', '.join(presets)}")
    return presets[preset]


def make_planner(planner: str, preset: str, action_size: int) -> Planner:
    """Return a planner for actions of so many numbers.

    Raises:
        UserError: there is no such planner or preset, or the planner breaks its protocol.
    """
    built = PLANNERS[planner](settings_of(planner, preset), action_size)
    checked: Planner = PLANNERS.require(planner, built)
    return checked
