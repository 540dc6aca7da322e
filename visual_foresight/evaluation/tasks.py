"""What the control benchmark needs of a suite and of its tasks, wherever they come from."""

from typing import Any, Protocol, runtime_checkable

from visual_foresight.control.trial import Trial
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.interfaces import Env


@runtime_checkable
class AnyTask(Protocol):
    """What the control benchmark needs of a task."""

    @property
    def env_seed(self) -> int:
        """Return the seed of its scene."""
        ...

    @property
    def goal(self) -> PixelGoal:
        """Return the goal that the controller gets."""
        ...

    @property
    def fingerprint(self) -> str:
        """Return what identifies the task and how it is run."""
        ...

    def begin(self, env: Env) -> tuple[Any, ...]:
        """Set the scene and return the designated points, for the judge."""
        ...

    def notes(self, trial: Trial) -> dict[str, Any]:
        """Return what else is kept of a trial, as JSON values."""
        ...


@runtime_checkable
class AnySuite(Protocol):
    """What the control benchmark needs of a suite: a frozen dataclass of these and more."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def env(self) -> str:
        """Return the name of its world."""
        ...

    @property
    def held_out(self) -> bool:
        """Return whether the objects are of kinds that no training data shows."""
        ...

    @property
    def num_steps(self) -> int:
        """Return how many actions a trial has."""
        ...

    def task(self, env: Env, seed: int, index: int) -> AnyTask:
        """Return a task (see `suites.make_task`)."""
        ...
