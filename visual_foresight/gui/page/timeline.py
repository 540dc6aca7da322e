"""What one page looks at: which step of the run, how far ahead, which of the plans.

Every page has its own.
"""

from dataclasses import dataclass

from visual_foresight.gui.session.state import State
from visual_foresight.types import Plan, Trial


@dataclass
class Timeline:
    """The plan made at `step`, seen `ahead` actions later.

    `number` 0 is the plan itself, 1 its first runner-up, ...
    """

    step: int = 0
    ahead: int = 0
    number: int = 0
    _trial: Trial | None = None

    def follow(self, state: State) -> None:
        """Look at the newest: a fresh plan's end, the last action's outcome, or the beginning of a run that was opened."""
        trial = state.trial
        if trial is self._trial:
            return
        self._trial, self.number = trial, 0
        done = 0 if trial is None else len(trial.episode.actions)
        if done and not state.is_recorded:
            self.step, self.ahead = done - 1, 1
        else:
            self.step = 0
            plan = self.plan(state)
            self.ahead = len(plan.actions) if plan is not None else 0

    def plan(self, state: State) -> Plan | None:
        """Return the plan looked at, if there is one at this step."""
        return state.plans[self.step] if self.step < len(state.plans) else None

    def frame(self, state: State) -> int | None:
        """Return the number of the recorded frame of this moment; None for the present one."""
        if state.trial is None:
            return None
        last = len(state.trial.episode.actions)
        if self.step + self.ahead >= last and not state.is_recorded:
            return None
        return min(self.step + self.ahead, last)

    def happened(self, state: State) -> bool:
        """Tell whether reality has come as far as the moment imagined."""
        return state.trial is not None and self.step + self.ahead <= len(
            state.trial.episode.actions
        )


class Memory:
    """Remembers what was drawn last, so that what has not changed is not sent again."""

    def __init__(self) -> None:
        self._values: tuple[object, ...] = ()

    def differs(self, *values: object) -> bool:
        """Tell whether any of these is another than at the last call.

        Arrays and states are told by identity.
        """
        old, self._values = self._values, values
        plain = (int, float, str, bool)
        return len(old) != len(values) or any(
            a is not b and not (isinstance(a, plain) and a == b)
            for a, b in zip(old, values, strict=True)
        )
