"""A batch of runs, one per scene, for the tasks that the benchmark draws.

The tasks are those of a suite (`evaluation.suites`), drawn from the session's seed; how a run ends
is the page's, so that a batch equals the benchmark only where runs take all of their steps.
"""

from dataclasses import dataclass, replace

from visual_foresight.evaluation.statistics import wilson
from visual_foresight.evaluation.suites import SUITES, Task, find_task
from visual_foresight.gui.session.trials.verdict import REACHED
from visual_foresight.interfaces import Env
from visual_foresight.types import UserError

MAX_SCENES = 200
"""The largest batch."""
SUITE = SUITES["near"]
"""Whose tasks are drawn."""


@dataclass(frozen=True)
class Batch:
    """How far a batch has come."""

    num_wanted: int
    outcomes: tuple[str, ...] = ()
    """Of the runs that have ended, in their order."""
    is_running: bool = True

    def with_outcome(self, outcome: str) -> "Batch":
        """Return the batch after another run."""
        return replace(self, outcomes=(*self.outcomes, outcome))

    @property
    def num_reached(self) -> int:
        """Return how many runs have reached their goal."""
        return self.outcomes.count(REACHED)

    @property
    def text(self) -> str:
        """Return it in one sentence, with Wilson's interval of 95 %."""
        num_done = len(self.outcomes)
        if not num_done:
            return f"0 of {self.num_wanted} scenes are done."
        interval = wilson(self.num_reached, num_done)
        share = f"{100 * self.num_reached / num_done:.0f} %"
        known = f"95 % interval {100 * interval.low:.0f} to {100 * interval.high:.0f} %"
        missing = self.num_wanted - num_done
        rest = f" {missing} to come." if self.is_running and missing else ""
        rest = f" Stopped; {missing} left out." if not self.is_running and missing else rest
        return f"{self.num_reached} of {num_done} scenes reached ({share}; {known}).{rest}"


def draw_task(env: Env, seed: int, index: int) -> Task:
    """Return a task of the suite; the env's scene is another one then.

    Raises:
        UserError: the world has no judge or no workspace, or no room for such a task.
    """
    return find_task(env, SUITE, seed, index)


def parse_num_scenes(text: str) -> int:
    """Return the number of scenes that somebody has typed.

    Raises:
        UserError: it is no whole number, or out of range.
    """
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and 1 <= int(digits[:9]) <= MAX_SCENES):
        raise UserError(
            f"a batch has 1 to {MAX_SCENES} scenes, a whole number, got {text!r}: "
            "type another number"
        )
    return int(digits)
