"""The session: one scene, one goal, one trial at a time, and the thread that works on them.

Every method returns at once; what comes of it appears in `state`, a value that is replaced as a
whole. All pages show the same session, since there is one robot.
"""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.jobs import STOPPED, SessionJobs
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.state import State, Status
from visual_foresight.gui.session.worker import Job, Worker


class Session:
    """Owns the state and the worker.

    Args:
        settings: what to begin with.
        out: the folder for everything that is written.
    """

    def __init__(self, settings: Settings, out: Path) -> None:
        archive = Archive(out)
        self.state = State(settings, entries=archive.entries)
        self._lock = threading.RLock()
        self._version = 0
        self._history: list[tuple[Draft, ImageGoal | None]] = []
        """Earlier goals of this scene, for `undo`."""
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._jobs = SessionJobs(
            archive, lambda: self.state, self._publish, self._stop, self._pause
        )
        self._worker = Worker(self._fail)
        self._start(Status.STARTING, lambda: self._jobs.reset(settings))

    @property
    def version(self) -> int:
        """Return a number that grows with every change of `state`."""
        return self._version

    def close(self) -> None:
        """Stop, and free everything."""
        self._stop.set()
        self._worker.submit(self._jobs.close)
        self._worker.close()

    # --- goal and settings: changed at once, in the caller's thread ---------------------------

    def edit(self, draft: Draft, remember: bool = True) -> None:
        """Replace the pairs of pixels.

        Args:
            draft: the new pairs.
            remember: whether `undo` returns to the old ones (a drag is remembered once).
        """
        with self._lock:
            is_new = draft != self.state.draft or self.state.image_goal is not None
            if is_new and self._make_editable():
                if remember:
                    self._history.append((self.state.draft, self.state.image_goal))
                self._publish(draft=draft, image_goal=None)

    def set_goal_image(self, image: ImageGoal) -> None:
        """Make an image the goal."""
        with self._lock:
            if self._make_editable():
                self._history.append((self.state.draft, self.state.image_goal))
                self._publish(image_goal=image)

    def undo(self) -> None:
        """Take back the last change of the goal."""
        with self._lock:
            if self._history and self._make_editable():
                draft, image_goal = self._history.pop()
                self._publish(draft=draft, image_goal=image_goal)

    def choose(self, settings: Settings) -> bool:
        """Take other settings; those of the scene itself have no effect before `reset`.

        Returns:
            Whether the scene stays. A model of other frames has it set anew, by the worker, and
            what is asked for now must wait for that.
        """
        with self._lock:
            if settings == self.state.settings or not self._make_editable():
                return True
            self._publish(settings=settings, fan=None, check=None)
            if not self._jobs.needs_other_frames(settings):
                return True
            self._start(Status.STARTING, lambda: self._change_frames(settings))
            return False

    def needs_other_frames(self, settings: Settings) -> bool:
        """Tell whether `choose` would set the scene anew in frames of another size."""
        return self._jobs.needs_other_frames(settings)

    def close_recording(self) -> None:
        """Return from a recording to the scene."""
        with self._lock:
            if self.state.is_recorded and self._make_editable():
                self._publish(
                    trial=None,
                    run_number=self.state.run_number + 1,
                    is_recorded=False,
                    entry_name="",
                    check=None,
                )

    def show_message(self, sentence: str, is_error: bool = False) -> None:
        """Show a sentence."""
        self._publish(message=sentence, is_error=is_error)

    def _make_editable(self) -> bool:
        """Tell whether goal and settings may change; if so, drop a plan not yet carried out."""
        if not self.state.is_editable:
            return False
        if self.state.status is Status.PAUSED:
            self._jobs.drop_trial()
            self._publish(status=Status.READY, trial=None, pending=None)
        self._publish(message="", is_error=False)
        return True

    # --- what takes time: done by the worker --------------------------------------------------

    def reset(self, settings: Settings) -> None:
        """Set the scene anew."""

        def reset_scene() -> None:
            self._jobs.reset(settings)
            self._history.clear()  # those goals were of the old scene

        self._submit(Status.STARTING, reset_scene)

    def _change_frames(self, settings: Settings) -> None:
        self._jobs.change_frames(settings)
        self._history.clear()

    def plan(self) -> None:
        """Plan from the present frame, without moving."""
        self._submit(Status.PLANNING, self._jobs.begin)

    def step(self) -> None:
        """Carry out one action."""
        self._submit(Status.RUNNING, lambda: self._jobs.advance(1))

    def run(self) -> None:
        """Carry out action after action."""
        self._submit(Status.RUNNING, lambda: self._jobs.advance(None))

    def pause(self) -> None:
        """Wait after the step under way."""
        self._pause.set()

    def stop(self) -> None:
        """End the run: no action follows, and a search under way is broken off."""
        with self._lock:
            if self.state.status in (Status.PLANNING, Status.RUNNING):
                self._stop.set()
                self._publish(status=Status.STOPPING)
            elif self.state.status is Status.PAUSED:
                self._submit(Status.STOPPING, lambda: self._jobs.end(STOPPED))

    def imagine_fan(self) -> None:
        """Imagine what different actions lead to from here."""
        self._submit(Status.WORKING, self._jobs.imagine_fan)

    def carry_out(self, number: int) -> None:
        """Carry out one sequence of the action fan."""
        self._submit(Status.RUNNING, lambda: self._jobs.carry_out(number))

    def check(self) -> None:
        """Compare the shown run with what the model imagines of it."""
        self._submit(Status.WORKING, self._jobs.check)

    def imagine_now(self) -> None:
        """Show of a run from disk what the present model imagines of its actions."""
        self._submit(Status.WORKING, self._jobs.imagine_now)

    def open(self, name: str) -> None:
        """Show a run that was kept."""
        self._submit(Status.WORKING, lambda: self._jobs.open(name))

    def export(self, name: str, suffix: str) -> None:
        """Write the animation of a run that was kept."""
        self._submit(Status.WORKING, lambda: self._jobs.export(name, suffix))

    def set_high_resolution(self, is_on: bool) -> None:
        """Switch the high-resolution render on or off."""
        self._submit(Status.WORKING, lambda: self._jobs.set_high_resolution(is_on))

    def _submit(self, status: Status, job: Job) -> None:
        """Start a job, unless another page was quicker and the worker is busy."""
        with self._lock:
            if self.state.is_idle:
                self._start(status, job)
            else:
                self.show_message("Something else is under way: wait for it, or stop it.")

    def _start(self, status: Status, job: Job) -> None:
        self._stop.clear()
        self._pause.clear()
        self._publish(status=status, message="", is_error=False)

        def do_and_rest() -> None:
            job()
            while not self._try_to_rest():  # `stop` came too late for the job to see it
                self._jobs.end(STOPPED)

        self._worker.submit(do_and_rest)

    def _try_to_rest(self) -> bool:
        """Rest, unless a trial has still to be stopped; tell whether the session rests.

        The lock makes sure that `stop` finds the session busy or at rest, never in between.
        """
        with self._lock:
            if self._stop.is_set() and self._jobs.is_under_way:
                return False
            self._rest()
            return True

    def _rest(self) -> None:
        self._publish(status=Status.PAUSED if self._jobs.is_under_way else Status.READY)

    def _publish(self, **changes: Any) -> None:
        with self._lock:
            self.state = replace(self.state, **changes)
            self._version += 1

    def _fail(self, sentence: str) -> None:
        self._publish(message=sentence, is_error=True)
        self._rest()
