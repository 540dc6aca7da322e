"""What one page shows of a run: which step, how many steps ahead, and which of the plans."""

from dataclasses import dataclass

from visual_foresight.control.trial import Trial
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
    _trial: Trial | None = None
    _fan: ActionFan | None = None

    def follow(self, state: State) -> None:
        """Move to the newest step when the trial has changed.

        That is the end of a fresh plan, the outcome of the last action, or the beginning of a
        run that was opened.
        """
        trial = state.trial
        if state.fan is not self._fan:
            self._fan = state.fan
            self.preview = None
        if trial is self._trial:
            return
        self.preview = None
        self._trial = trial
        self.rank = 0
        num_done = 0 if trial is None else len(trial.episode.actions)
        if num_done and not state.is_recorded:
            self.step = num_done - 1
            self.ahead = 1
            return
        self.step = 0
        plan = self.plan(state)
        self.ahead = len(plan.actions) if plan is not None else 0

    def show_preview(self, state: State, plan: Plan) -> None:
        """Show a future from the present frame, at its end, until another step is chosen."""
        self.step = 0 if state.trial is None else len(state.trial.episode.actions)
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
        last = len(state.trial.episode.actions)
        if self.step + self.ahead >= last and not state.is_recorded:
            return None
        return min(self.step + self.ahead, last)

    def has_happened(self, state: State) -> bool:
        """Tell whether the run has reached the step that is imagined."""
        if state.trial is None:
            return False
        return self.step + self.ahead <= len(state.trial.episode.actions)
