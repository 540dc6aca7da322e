"""What one page shows of a run: which step, how many steps ahead, and which of the plans."""

from dataclasses import dataclass
from typing import Literal

from visual_foresight.gui.session.questions.action_fan import ActionFan
from visual_foresight.gui.session.state import Frame, State
from visual_foresight.types import Plan

Place = Literal["first", "previous", "next", "last"]
KEYS: dict[str, Place] = {
    "Home": "first",
    "PageUp": "previous",
    "PageDown": "next",
    "End": "last",
}
"""Keys on a frame -> which step of the run they lead to."""
KEYS_AHEAD = {"[": -1, "]": 1}
"""Keys on a frame -> how much farther ahead they lead."""
PLAY_KEY = "p"
"""Starts the timeline moving by itself, and ends that."""


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
    same_time: bool = True
    """Whether the scene shows the frame that what is imagined is of, where there is one already;
    if not, the frame that the plan was made from."""
    is_playing: bool = False
    """Whether it moves by itself."""
    _wanted: int | None = None
    """How many steps ahead a person has chosen; None: the usual."""
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
        wanted = self._wanted if is_same_run else None
        self.go_to_newest(state)
        if wanted is not None:
            self._wanted = wanted
            self.step = last_step(state)
            self.ahead = min(wanted, self.horizon(state))

    def go_to_newest(self, state: State) -> None:
        """Move to the newest step, and move on with the run from now on."""
        self.follows = True
        self.rank = 0
        self.preview = None
        self._wanted = None
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
        self.ahead = self.horizon(state)

    def choose(self, state: State, step: int, ahead: int) -> None:
        """Show another step, as a person wishes; later steps of the run do not change that."""
        if step != self.step:
            step = min(max(step, 0), last_step(state))
            self.rank = 0
            self.preview = None
        if ahead != self.ahead:
            self._wanted = max(ahead, 0)
        self.step = step
        self.ahead = min(max(ahead, 0), self.horizon(state))
        newest = max(state.num_done - 1, 0)
        self.follows = not state.is_recorded and step >= newest

    def go(self, state: State, to: Place) -> None:
        """Move to the first step, or the last one, or by one step."""
        if to == "last" and not state.is_recorded:
            self.go_to_newest(state)
            return
        self.choose(state, step_at(to, self.step, last_step(state)), self.ahead)

    def type(self, state: State, key: str) -> bool:
        """Move as a key asks for; tell whether it is one of `KEYS` or `KEYS_AHEAD`."""
        if key in KEYS:
            self.go(state, KEYS[key])
        elif key in KEYS_AHEAD:
            self.choose(state, self.step, self.ahead + KEYS_AHEAD[key])
        elif key == PLAY_KEY:
            self.is_playing = not self.is_playing
        else:
            return False
        return True

    def play(self, state: State) -> bool:
        """Move by itself: a recording step by step, or a plan from its frame to its end.

        Returns:
            Whether it has moved.
        """
        if not self.is_playing:
            return False
        if self.plays_steps(state):
            count = last_step(state) + 1
            self.step = (self.step + 1) % count
            self.rank = 0
            self.ahead = min(self.ahead, self.horizon(state))
            return count > 1
        horizon = self.horizon(state)
        self.ahead = (self.ahead + 1) % (horizon + 1)
        return horizon > 0

    def plays_steps(self, state: State) -> bool:
        """Tell whether the steps of a run are played, not one plan from its frame to its end."""
        return state.is_recorded and state.recording is None

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

    def horizon(self, state: State) -> int:
        """Return how many steps ahead the plan goes; 0 without one."""
        plan = self.plan(state)
        return 0 if plan is None else len(plan.actions)

    def frame_index(self, state: State) -> int | None:
        """Return the index of the recorded frame to show; None for the present frame."""
        if state.trial is None:
            return None
        last = state.num_done
        step = self.step + (self.ahead if self.same_time else 0)
        if state.recording is not None and not min(step, last):
            return None  # the frame that is imagined from is the one at hand
        if state.is_recorded:
            return min(step, last)
        is_present = step >= last or (self.follows and not self.same_time)
        return None if is_present else step

    def has_happened(self, state: State) -> bool:
        """Tell whether the run has reached the step that is imagined."""
        return self.real_frame(state) is not None

    def real_frame(self, state: State) -> Frame | None:
        """Return what the camera saw when what is imagined happened; None if it has not."""
        if self.preview is not None or state.trial is None:
            return None
        frames = state.trial.episode.frames
        seen = self.step + self.ahead
        return frames[seen] if seen < len(frames) else None

    def first_frame(self, state: State) -> Frame | None:
        """Return the frame that the plan was made from, the present one by default."""
        frames = () if state.trial is None else state.trial.episode.frames
        return frames[self.step] if self.step < len(frames) else state.frame


def step_at(place: Place, step: int, last: int) -> int:
    """Return the step that a place stands for, seen from a step."""
    steps = {"first": 0, "previous": step - 1, "next": step + 1, "last": last}
    return min(max(steps[place], 0), last)


def last_step(state: State) -> int:
    """Return the last step that there is something to show of."""
    if state.is_recorded and not len(state.plans):
        return state.num_done
    return max(len(state.plans) - 1, 0)
