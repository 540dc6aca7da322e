"""What became of a run of the loop: its goal, what happened, and how far it came.

The loop makes it; the page, `plan` and the benchmarks read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from visual_foresight.types import Episode, Goal, Plan


@dataclass(frozen=True)
class Trial:
    """One closed-loop run with a goal, measured by a judge where there is one."""

    goal: Goal
    episode: Episode
    plans: Sequence[Plan]
    """One per action, where they were kept; the page reads each from disk when it is asked for."""
    distances: tuple[float, ...]
    """How far it is to the goal by the goal's own measure, in `goal.unit`, before the first and
    after each step. Empty where nobody can say."""
    distances_m: tuple[float, ...] = ()
    """Distance on the table, in metres, from the designated point to its goal. Of several points,
    the one farthest from its goal counts. Empty where metres are not known, and for a goal without
    designated pixels."""
    is_believed: bool = False
    """Whether the distances are only what the locator believes: no judge knew the truth."""

    def success(self, radius_m: float) -> bool:
        """Tell whether every designated point ended within this distance of its goal."""
        return bool(self.distances_m) and self.distances_m[-1] <= radius_m

    def distance_text(self, step: int, suffix: str = " to go") -> str:
        """Return the distance before a step in words; nothing where it is not known.

        Args:
            step: a negative one counts from the end.
            suffix: follows the distance.
        """
        distance = self.distances[step] if self.distances else None
        distance_m = self.distances_m[step] if self.distances_m else None
        return distance_text(distance, self.goal.unit, distance_m, self.is_believed, suffix)


def distance_text(
    distance: float | None,
    unit: str,
    distance_m: float | None,
    is_believed: bool,
    suffix: str = " to go",
) -> str:
    """Return a distance to a goal in words: "4.2 cm to go", "believed 3.1 px to go", or nothing.

    Metres, where they are known, are shown as cm in place of the goal's own measure.
    """
    if distance_m is not None:
        length = f"{100 * distance_m:.1f} cm"
    elif distance is not None:
        length = f"{distance:.1f} px" if unit == "px" else f"{distance:.3g} {unit}"
    else:
        return ""
    return f"{'believed ' if is_believed else ''}{length}{suffix}"
