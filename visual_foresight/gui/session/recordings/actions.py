"""Which actions are imagined from a recorded frame: the recorded ones, by hand, or planned."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from visual_foresight.gui.session.settings import MAX_STEPS
from visual_foresight.types import UserError

Kind = Literal["recorded", "hand", "planned"]
KINDS: dict[Kind, str] = {
    "recorded": "recorded",
    "hand": "by hand",
    "planned": "planned",
}
"""Where actions come from -> label on the page."""


@dataclass(frozen=True)
class Stretch:
    """One action that is held for some steps."""

    values: tuple[float, ...]
    """One number for each direction of the robot, in [-1, 1]."""
    num_steps: int = 1

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) and -1 <= value <= 1 for value in self.values):
            raise UserError(
                f"the numbers of an action are in [-1, 1], got {self.text}: choose others"
            )
        if not 1 <= self.num_steps <= MAX_STEPS:
            raise UserError(
                f"an action is held for 1 to {MAX_STEPS} steps, got {self.num_steps}: "
                "choose another number"
            )

    @property
    def text(self) -> str:
        """Return it in a few words: "5 x (1, -0.5)"."""
        numbers = ", ".join(f"{value:.2g}" for value in self.values)
        return f"{self.num_steps} x ({numbers})"


@dataclass(frozen=True)
class Actions:
    """What is chosen to be imagined; every change is a new value."""

    kind: Kind = "recorded"
    stretches: tuple[Stretch, ...] = ()
    """Those made by hand, one after the other."""

    def __post_init__(self) -> None:
        if self.num_by_hand > MAX_STEPS:
            raise UserError(
                f"at most {MAX_STEPS} steps are imagined, got {self.num_by_hand}: "
                "remove some, or hold them shorter"
            )

    @property
    def num_by_hand(self) -> int:
        """Return how many steps the actions made by hand take."""
        return sum(stretch.num_steps for stretch in self.stretches)

    def with_added(self, stretch: Stretch) -> "Actions":
        """Return them with another stretch at the end."""
        return replace(self, stretches=(*self.stretches, stretch))

    def with_changed(self, index: int, stretch: Stretch | None) -> "Actions":
        """Return them with another stretch at a position, or without that one."""
        between = () if stretch is None else (stretch,)
        changed = (*self.stretches[:index], *between, *self.stretches[index + 1 :])
        return replace(self, stretches=changed)

    def by_hand(self) -> Float32[np.ndarray, "t a"]:
        """Return the actions made by hand.

        Raises:
            UserError: there are none.
        """
        if not self.stretches:
            raise UserError("no action has been added by hand: set one, and press Add")
        rows = [stretch.values for stretch in self.stretches for _ in range(stretch.num_steps)]
        return np.array(rows, np.float32)


def stretches_of(actions: Float32[np.ndarray, "t a"]) -> tuple[Stretch, ...]:
    """Return recorded actions as stretches of one step each, to be changed by hand.

    Arms measure what they did, so a recorded number may leave [-1, 1] by a little.
    """
    rows = actions.clip(-1, 1).tolist()
    return tuple(Stretch(tuple(row)) for row in rows)
