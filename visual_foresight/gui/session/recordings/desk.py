"""What a page does with recorded data: choose episode, frame and actions, and have them imagined.

Like the session's own methods these return at once, and what comes of them appears in its state.
"""

from collections.abc import Callable
from dataclasses import replace

from visual_foresight.gui.session.recordings.actions import Actions
from visual_foresight.gui.session.recordings.jobs import RecordingJobs
from visual_foresight.gui.session.recordings.recording import Recording
from visual_foresight.gui.session.state import State, Status
from visual_foresight.gui.session.worker import Job
from visual_foresight.types import UserError


class RecordingDesk:
    """Changes what is chosen of the data at once, and has the session's worker do the rest.

    Args:
        jobs: what takes time.
        read: returns the session's present state.
        publish: changes fields of it.
        submit: starts a job, with what is chosen.
        forget_goals: makes earlier goals, which were of another frame, impossible to return to.
    """

    def __init__(
        self,
        jobs: RecordingJobs,
        read: Callable[[], State],
        publish: Callable[..., None],
        submit: Callable[[Status, Job], None],
        forget_goals: Callable[[], None],
    ) -> None:
        self._jobs = jobs
        self._read = read
        self._publish = publish
        self._submit = submit
        self._forget_goals = forget_goals

    def open_episode(self, number: int) -> None:
        """Show another episode, from its first frame on."""
        try:
            position = self._recording.position_of(number)
        except UserError as error:
            self._publish(message=str(error), is_error=True)
            return

        def open_episode() -> None:
            self._jobs.open(position)
            self._forget_goals()

        self._submit(Status.WORKING, open_episode)

    def open_next(self, by: int) -> None:
        """Show the episode that lies so many places further on, or back if that is negative."""
        recording = self._recording
        position = min(max(recording.position + by, 0), len(recording.numbers) - 1)
        self.open_episode(recording.numbers[position])

    def go_to(self, step: int) -> None:
        """Show the frame of the open episode after so many actions."""
        if self._read().is_editable and step != self._recording.step:
            self._jobs.go_to(step)
            self._forget_goals()

    def choose_actions(self, actions: Actions) -> None:
        """Choose which actions are imagined, on all pages."""
        self._publish(recording=replace(self._recording, actions=actions))

    def take_recorded_actions(self) -> None:
        """Make the recorded actions from the shown frame on those that are changed by hand."""
        try:
            self._jobs.take_recorded()
        except UserError as error:
            self._publish(message=str(error), is_error=True)

    def imagine(self) -> None:
        """Imagine the chosen actions from the shown frame."""
        self._submit(Status.PLANNING, self._jobs.imagine)

    def forget_imagined(self) -> None:
        """Show nothing that was imagined: it was for another goal, or by another model."""
        if self._read().trial is not None:
            self._publish(**self._jobs.nothing_imagined())

    def why_unfit(self, name: str) -> str:
        """Return why a model cannot imagine from the data; nothing if it can."""
        return self._jobs.why_unfit(name)

    @property
    def _recording(self) -> Recording:
        recording = self._read().recording
        assert recording is not None, "there is a desk where there is a recording"
        return recording
