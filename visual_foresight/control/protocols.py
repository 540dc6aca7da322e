"""Versions of the code that a trial's outcome depends on, besides models, settings and tasks.

Whoever changes such code so that a trial may end otherwise raises its number. Results on disk are
then made anew, and none of the older ones is taken for a new one. What a checkpoint imagines has a
number of its own (`predictors.models.Model.protocol`), tasks and trials have `suites.PROTOCOL`.
"""

from collections.abc import Mapping

PROTOCOLS: Mapping[str, int] = {
    "planners": 1,
    "proposals": 1,
    "costs": 1,
    "locators": 1,
    "controllers": 1,
    "simulator": 1,
}


def raised() -> dict[str, int]:
    """Return the versions from 2 on: published results do not name a version."""
    return {name: version for name, version in PROTOCOLS.items() if version > 1}
