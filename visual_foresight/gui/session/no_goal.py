"""What stands in the place of a goal where nothing is to be reached: pixels are only followed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from visual_foresight.control.trial import Trial
from visual_foresight.types import Goal, Observation, Pixel
from visual_foresight.vision.drawing import Frame, Picture

HAS_GOAL = "has_goal"
"""The note that says whether a run was for a goal."""


@dataclass(frozen=True)
class NoGoal:
    """Pixels that are followed and brought nowhere: a `types.Goal` that no controller is given."""

    kind: ClassVar[str] = "none"
    cost: ClassVar[str] = "none"
    unit: ClassVar[str] = "px"
    sources: tuple[Pixel, ...] = ()

    @property
    def targets(self) -> tuple[Pixel, ...]:
        """Return nothing."""
        return ()

    def check(self, frame_size: tuple[int, int]) -> None:
        """Refuse nothing."""

    def measure(self, observation: Observation, places: tuple[Pixel, ...]) -> None:
        """Return that nobody can say how far it is."""

    def draw(self, picture: Frame, places: Sequence[Pixel], scale: int) -> Picture:
        """Return the picture as it is."""
        return picture

    def describe(self) -> str:
        """Return that there is none."""
        return "none"

    def to_json(self) -> None:
        """Return what stands for no goal."""

    @classmethod
    def from_json(cls, written: Any) -> "NoGoal":
        """Return no goal."""
        return cls()


def goal_of(trial: Trial) -> Goal:
    """Return what a trial was for; the loop of one without a goal was given one all the same."""
    return trial.goal if trial.episode.meta.get(HAS_GOAL, True) else NoGoal()
