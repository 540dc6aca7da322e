"""What one page shows of a run: which step, how many steps ahead, and which of the plans."""

from dataclasses import dataclass

from visual_foresight.gui.session.action_fan import ActionFan
from visual_foresight.gui.session.state import State
from visual_foresight.types import Plan


@dataclass
class Timeline:
    """The plan made at step `step` of the run, `ahead` actions later. Every page has its own."""

    step: int = 0
    ahead: int = 0
    rank: int = 0
    """0 is the plan itself, 1 its first runner-up, ..."""
    preview: Plan | None = None
    """A future of the action fan that is shown in place of the run's plans."""
    follows: bool = True
    """Whether it moves on when the run does: a person has not gone back to an earlier step."""
    _run_shown: tuple[object, ...] = ()
    _run: int = -1
    _fan: ActionFan | None = None

    def follow(self, state: State) -> None:
        """Move to the newest step when the run has gone on, unless a person looks at another.

        That is the end of a fresh plan, the outcome of the last action, or the first step of a run
        that was opened.
        """
        if state.fan is not self._fan:
            self._fan = state.fan
            self.preview = None
        if state.run_shown == self._run_shown:
            return
        self._run_shown = state.run_shown
        self.preview = None
        is_same_run = state.run_number == self._run
        self._run = state.run_number
        if is_same_run and not self.follows:
            return
        self.go_to_newest(state)

    def go_to_newest(self, state: State) -> None:
        """Move to the newest step, and move on with the run from now on."""
        self.follows = True
        self.rank = 0
        self.preview = None
        if state.is_recorded:
            self.step = 0
            plan = self.plan(state)
            self.ahead = (
                0 if plan is None else 1 if state.recording is None else len(plan.actions)
            )
            return
        if state.num_done:
            self.step = state.num_done - 1
            self.ahead = 1
            return
        self.step = 0
        plan = self.plan(state)
        self.ahead = len(plan.actions) if plan is not None else 0

    def choose(self, state: State, step: int, ahead: int) -> None:
        """Show another step, as a person wishes; later steps of the run do not change that."""
        if step != self.step:
            self.rank = 0
            self.preview = None
        self.step = step
        self.ahead = ahead
        newest = max(state.num_done - 1, 0)
        self.follows = not state.is_recorded and step >= newest

    def show_preview(self, state: State, plan: Plan) -> None:
        """Show a future from the present frame, at its end, until another step is chosen."""
        self.step = state.num_done
        self.ahead = len(plan.actions)
        self.rank = 0
        self.preview = plan

    def plan(self, state: State) -> Plan | None:
        """Return the preview, or the plan of this step, if there is one."""
        if self.preview is not None:
            return self.preview
        return state.plans[self.step] if self.step < len(state.plans) else None

    def frame_index(self, state: State) -> int | None:
        """Return the index of the recorded frame to show; None for the present frame."""
        if state.trial is None:
            return None
        last = state.num_done
        if state.recording is not None and not min(self.step + self.ahead, last):
            return None  # the frame that is imagined from is the one at hand
        if self.step + self.ahead >= last and not state.is_recorded:
            return None
        return min(self.step + self.ahead, last)

    def has_happened(self, state: State) -> bool:
        """Tell whether the run has reached the step that is imagined."""
        return state.trial is not None and self.step + self.ahead <= state.num_done
