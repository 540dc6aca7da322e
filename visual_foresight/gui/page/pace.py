"""How far a run is, and how long it will still take, as a page sees its steps come."""

import time
from collections.abc import Callable

from visual_foresight.gui.session.state import State, Status

MINUTE_S = 60


class Pace:
    """Takes the time between the steps of a run.

    The first step is left out, because a model is loaded and compiled before it.

    Args:
        clock: returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first: tuple[int, float] | None = None
        """How many actions had been carried out when this page first saw one, and when that was."""
        self._newest = (0, 0.0)
        """The same of the newest action."""

    def follow(self, state: State) -> None:
        """See a state."""
        if state.status is not Status.RUNNING or state.trial is None or state.is_recorded:
            self._first = None
            return
        num_done = len(state.trial.episode.actions)
        if num_done and (self._first is None or num_done < self._newest[0]):
            self._first = self._newest = (num_done, self._clock())
        elif num_done > self._newest[0]:
            self._newest = (num_done, self._clock())

    def text(self, state: State) -> str:
        """Return how far the run is, in words; nothing while none has moved anything."""
        num_done = 0 if state.trial is None else len(state.trial.episode.actions)
        if not num_done or state.is_idle or state.is_recorded:
            return ""
        num_steps = state.run_length
        text = f"step {num_done} of {num_steps}"
        if self._first is None or self._newest[0] == self._first[0]:
            return text
        num_timed = self._newest[0] - self._first[0]
        step_s = (self._newest[1] - self._first[1]) / num_timed
        left_s = step_s * max(num_steps - num_done, 0)
        return f"{text}, {step_s:.1f} s each, {_duration(left_s)} left at most"


def _duration(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s"
    return f"{seconds / MINUTE_S:.0f} min"
