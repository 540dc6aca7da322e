"""The plans of a run as a sequence that reads one at a time, so that a long run takes no memory."""

import io
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import overload

from visual_foresight.control.loop import Step
from visual_foresight.gui.session.kept_runs.turns import pack, read_plan
from visual_foresight.types import Observation, Plan, UserError

logger = logging.getLogger(__name__)
READ_AHEAD = 4
"""Plans of a run that memory holds, those used last: pages show the same one again and again."""


class KeptPlans(Sequence[Plan]):
    """The plans of a run, none of which it holds.

    Args:
        read: returns the plan of a step; it may remember some.
        count: how many there are.
    """

    def __init__(self, read: Callable[[int], Plan], count: int) -> None:
        self._read = read
        self._count = count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Plan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Plan]: ...
    def __getitem__(self, index: int | slice) -> Plan | Sequence[Plan]:
        """Read one plan, or several at once."""
        if isinstance(index, slice):
            return [self._read(step) for step in range(self._count)[index]]
        return self._read(range(self._count)[index])


class PlansThen(Sequence[Plan]):
    """The plans of a run, and after them one that was not carried out."""

    def __init__(self, done: Sequence[Plan], pending: Plan) -> None:
        self._done = done
        self._pending = pending

    def __len__(self) -> int:
        return len(self._done) + 1

    @overload
    def __getitem__(self, index: int) -> Plan: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Plan]: ...
    def __getitem__(self, index: int | slice) -> Plan | Sequence[Plan]:
        """Return one plan, or several."""
        if isinstance(index, slice):
            return [self[step] for step in range(len(self))[index]]
        step = range(len(self))[index]
        return self._pending if step == len(self._done) else self._done[step]


def reader(
    read: Callable[[int], Plan], otherwise: Callable[[int], Plan]
) -> Callable[[int], Plan]:
    """Return a reader of plans that remembers some, and never fails.

    Args:
        read: reads the plan of a step, or raises `UserError`.
        otherwise: returns what is left of a plan that is damaged: one that imagines nothing.
    """

    @lru_cache(maxsize=READ_AHEAD)
    def read_or_nothing(step: int) -> Plan:
        try:
            return read(step)
        except UserError as error:
            logger.warning("%s", error)
            return otherwise(step)

    return read_or_nothing


def in_memory(plans: Iterable[Plan], observation: Observation, model: str) -> KeptPlans:
    """Return plans that are held packed, a tenth as large.

    Args:
        plans: taken one at a time.
        observation: any of the run's; only its size counts.
        model: the name of what imagined them.
    """
    packed = [
        pack(Step(index, observation, plan, verdict=None), model)
        for index, plan in enumerate(plans)
    ]
    read = lru_cache(maxsize=READ_AHEAD)(lambda step: read_plan(io.BytesIO(packed[step])))
    return KeptPlans(read, len(packed))
