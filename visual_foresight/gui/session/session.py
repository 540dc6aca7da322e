"""The session: one scene, one goal, one run at a time, and the thread that works on them. It
knows no web toolkit.

Every verb returns at once; what comes of it is in `state`, a value that is replaced as a whole.
All pages show the same session, since there is one robot.
"""

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from visual_foresight.gui.session.actions import Frame, SessionActions
from visual_foresight.gui.session.archive import Archive
from visual_foresight.gui.session.choices import Choice
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.state import State, Status
from visual_foresight.gui.session.worker import Job, Worker
from visual_foresight.predictors.wrappers.interruptible import StoppedError


class Session:
    """Owns the env and the models; drives the one control loop.

    Args:
        choice: what to begin with.
        out: the folder for everything that is written.
    """

    def __init__(self, choice: Choice, out: Path) -> None:
        self._lock = threading.RLock()
        archive = Archive(out)
        self.state = State(choice, entries=archive.entries)
        self._version = 0
        self._past: list[tuple[Draft, Frame | None]] = []
        self._stop, self._pause = threading.Event(), threading.Event()
        self._actions = SessionActions(
            archive, lambda: self.state, self._publish, self._stop, self._pause
        )
        self._worker = Worker(self._failed)
        self._start(Status.STARTING, lambda: self._actions.reset(choice))

    @property
    def version(self) -> int:
        """Return a number that grows with every change of `state`."""
        return self._version

    def close(self) -> None:
        """Stop, and free everything."""
        self._stop.set()
        self._worker.submit(self._actions.close)
        self._worker.close()

    # --- the goal: done at once, in the caller's thread ---------------------------------------

    def edit(self, draft: Draft, remember: bool = True) -> None:
        """Replace the pairs of pixels.

        Args:
            draft: what they are now.
            remember: whether `undo` comes back to what they were (a drag is remembered once).
        """
        with self._lock:
            if (
                draft != self.state.draft or self.state.image_goal is not None
            ) and self._may_change():
                if remember:
                    self._past.append((self.state.draft, self.state.image_goal))
                self._publish(draft=draft, image_goal=None)

    def aim_at(self, frame: Frame) -> None:
        """Make a frame the goal."""
        with self._lock:
            if self._may_change():
                self._past.append((self.state.draft, self.state.image_goal))
                self._publish(image_goal=frame)

    def undo(self) -> None:
        """Take back the last change of the goal."""
        with self._lock:
            if self._past and self._may_change():
                draft, image_goal = self._past.pop()
                self._publish(draft=draft, image_goal=image_goal)

    def choose(self, choice: Choice) -> None:
        """Take another model, preset, ...; what concerns the scene itself waits for `reset`."""
        with self._lock:
            if choice != self.state.choice and self._may_change():
                self._publish(choice=choice, fan=None, check=None)

    def leave(self) -> None:
        """Turn from a recording back to the scene."""
        with self._lock:
            if self.state.is_recorded and self._may_change():
                self._publish(trial=None, is_recorded=False, shown="", check=None)

    def tell(self, sentence: str, is_error: bool = False) -> None:
        """Show a sentence."""
        self._publish(message=sentence, is_error=is_error)

    def _may_change(self) -> bool:
        """Tell whether goal and settings may change.

        A plan of which nothing was carried out goes.
        """
        if not self.state.is_free:
            return False
        if self.state.status is Status.PAUSED:
            self._actions.forget()
            self._publish(status=Status.READY, trial=None, pending=None)
        self._publish(message="", is_error=False)
        return True

    # --- what takes time: done by the worker --------------------------------------------------

    def reset(self, choice: Choice) -> None:
        """Set the scene anew."""

        def set_anew() -> None:
            self._actions.reset(choice)
            self._past.clear()  # goals of a scene that is gone

        self._submit(Status.STARTING, set_anew)

    def plan(self) -> None:
        """Imagine from here, without moving."""
        self._submit(Status.PLANNING, self._actions.begin)

    def step(self) -> None:
        """Carry out one action."""
        self._submit(Status.RUNNING, lambda: self._actions.advance(1))

    def run(self) -> None:
        """Carry out action after action."""
        self._submit(Status.RUNNING, lambda: self._actions.advance(None))

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
                self._submit(Status.STOPPING, lambda: self._actions.end("stopped"))

    def spread_fan(self) -> None:
        """Imagine what different actions lead to from here."""
        self._submit(Status.WORKING, self._actions.spread_actions)

    def carry_out(self, number: int) -> None:
        """Execute one future of the fan."""
        self._submit(Status.RUNNING, lambda: self._actions.replay(number))

    def check(self) -> None:
        """Compare the shown run with what the model imagines of it."""
        self._submit(Status.WORKING, self._actions.check)

    def open(self, name: str) -> None:
        """Show a run that was kept."""
        self._submit(Status.WORKING, lambda: self._actions.open(name))

    def export(self, name: str, suffix: str) -> None:
        """Write the animation of a run that was kept."""
        self._submit(Status.WORKING, lambda: self._actions.export(name, suffix))

    def enlarge(self, wanted: bool) -> None:
        """Switch the high-resolution render on or off."""
        self._submit(Status.WORKING, lambda: self._actions.enlarge(wanted))

    def _submit(self, status: Status, job: Job) -> None:
        """Do a job when nothing else is under way; else another page was quicker."""
        with self._lock:
            if self.state.is_idle:
                self._start(status, job)
            else:
                self.tell("Something else is under way: wait for it, or stop it.")

    def _start(self, status: Status, job: Job) -> None:
        self._stop.clear()
        self._pause.clear()
        self._publish(status=status, message="", is_error=False)

        def whole() -> None:
            with suppress(StoppedError):
                job()
            while not self._came_to_rest():  # stopped too late for the job to see it
                self._actions.end("stopped")

        self._worker.submit(whole)

    def _came_to_rest(self) -> bool:
        """Rest, unless a run is yet to be stopped.

        `stop` finds the session busy or at rest, never in between.
        """
        with self._lock:
            if self._stop.is_set() and self._actions.is_under_way:
                return False
            self._rest()
            return True

    def _rest(self) -> None:
        self._publish(status=Status.PAUSED if self._actions.is_under_way else Status.READY)

    def _publish(self, **changes: Any) -> None:
        with self._lock:
            self.state = replace(self.state, **changes)
            self._version += 1

    def _failed(self, sentence: str) -> None:
        self._publish(message=sentence, is_error=True)
        self._rest()
