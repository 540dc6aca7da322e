"""The notes of a run's episode, also of older and of foreign ones."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from visual_foresight.gui.session.no_goal import HAS_GOAL
from visual_foresight.types import Goal, UserError


@contextmanager
def refusing_foreign_notes() -> Iterator[None]:
    """Say in one sentence that the notes of an episode are not those of a run of the page.

    Raises:
        UserError: instead of what reading them raises.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"its notes are not those of a run of the page ({error!r}): choose another run"
        ) from error


def name_of_distances(goal: Goal) -> str:
    """Return the note that keeps the distances by the goal's own measure."""
    return "distances_px" if goal.unit == "px" else "distances"


def distances_of(goal: Goal, meta: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the distances by the goal's own measure; older runs kept none of goal images.

    What is for no goal has none, whatever was written.

    Raises:
        TypeError: they are no list of numbers, or (ValueError) not one before each step and at
            the end.
    """
    if not meta.get(HAS_GOAL, True):
        return ()
    return _numbers(meta.get(name_of_distances(goal), ()), meta)


def distances_m_of(goal: Goal, meta: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the distances in metres (see `distances_of`).

    Those that older runs say of goal images mean nothing.
    """
    if not goal.targets or not meta.get(HAS_GOAL, True):
        return ()
    return _numbers(meta["distances_m"], meta)


def num_steps_of(meta: Mapping[str, Any]) -> int:
    """Return how many actions a run has; older runs tell by their distances alone."""
    return int(meta.get("num_actions", len(meta["distances_m"]) - 1))


def _numbers(written: Sequence[Any], meta: Mapping[str, Any]) -> tuple[float, ...]:
    values = tuple(float(value) for value in written)
    if values and len(values) != num_steps_of(meta) + 1:
        raise ValueError(
            f"{len(values)} distances, {num_steps_of(meta) + 1} of them were expected"
        )
    return values
