"""What is known of a robot: its cameras, the sizes of state and actions, and the arm's limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor

from visual_foresight.types import UserError, Workspace


@dataclass(frozen=True)
class Unlimited:
    """Stands for the workspace of an arm of which it is not known where an action takes it."""

    action_size: int
    """How many numbers an action has."""

    def clip(
        self, state: Float[Tensor, " s"], actions: Float[Tensor, "n t a"]
    ) -> Float[Tensor, "n t a"]:
        """Return the actions, each number in [-1, 1]; nothing is known of other limits."""
        return actions.clamp(-1, 1)


Limits = Workspace | Unlimited
"""What a planner clips its candidates with."""
Homography = tuple[tuple[float, ...], ...]
"""Three rows of three numbers, from (row, col, 1) in the frame to the robot's (x, y, 1), in metres,
at the height of what is pushed. It is the camera's calibration and says nothing of objects."""


@dataclass(frozen=True)
class View:
    """A camera of an env."""

    frame_size: tuple[int, int]
    """Height and width in pixels."""
    homography: Homography | None = None
    """The camera's calibration; None where it is not calibrated."""

    def calibration(self, user: str) -> Float[np.ndarray, "3 3"]:
        """Return the homography.

        Args:
            user: what needs it, for the sentence.

        Raises:
            UserError: the camera is not calibrated.
        """
        if self.homography is None:
            raise UserError(
                f"{user}: this needs a calibrated camera, and this world's is not calibrated; "
                "choose something that does without, or give the world's view a homography"
            )
        return np.array(self.homography)


@dataclass(frozen=True)
class EnvInfo:
    """What a robot has: cameras, a state of its own, actions, and perhaps known limits."""

    views: Mapping[str, View]
    """Its cameras by their names; the first one gives the frames."""
    action_size: int
    """How many numbers an action has, each in [-1, 1]."""
    state_size: int
    """How many numbers the robot's own state has."""
    workspace: Workspace | None = None
    """Where an action takes the arm; None where that is not known."""
    renderer: str = "camera"
    """What makes the frames, with its version where that changes them."""

    @property
    def view(self) -> View:
        """Return the first view."""
        return next(iter(self.views.values()))

    @property
    def frame_size(self) -> tuple[int, int]:
        """Return height and width of the frames, in pixels."""
        return self.view.frame_size

    @property
    def limits(self) -> Limits:
        """Return what actions are clipped with, also where no workspace is known."""
        return Unlimited(self.action_size) if self.workspace is None else self.workspace

    def require_workspace(self, user: str) -> Workspace:
        """Return the workspace.

        Args:
            user: what needs it, for the sentence.

        Raises:
            UserError: it is not known.
        """
        if self.workspace is None:
            raise UserError(
                f"{user}: this needs to know where an action takes the arm, and this world has no "
                "workspace; choose something that does without"
            )
        return self.workspace


def view_names(text: str) -> tuple[str, ...]:
    """Return the names of views in a text with commas, as flags have it; none in an empty one."""
    return tuple(name.strip() for name in text.split(",")) if text else ()


def require_views(wanted: Sequence[str], offered: Sequence[str], owner: str) -> None:
    """Refuse views that are not there, or that are wanted twice.

    Args:
        wanted: names of views.
        offered: names of those that can be had.
        owner: what has them, for the sentence.

    Raises:
        UserError: one is not offered, or named twice.
    """
    known = ", ".join(offered)
    for name in wanted:
        if name not in offered:
            raise UserError(f"{owner} has no view {name!r}: choose among {known}")
        if list(wanted).count(name) > 1:
            raise UserError(f"the view {name!r} is named twice: name each view of {owner} once")
