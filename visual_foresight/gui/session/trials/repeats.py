"""Runs that come of other runs: again, on from where one has ended, and many in a row."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from visual_foresight.evaluation.suites import Task
from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.jobs import STOPPED, SessionJobs
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.state import State
from visual_foresight.gui.session.trials.batch import Batch, draw_task
from visual_foresight.gui.session.trials.verdict import StopRule
from visual_foresight.interfaces import require_judge
from visual_foresight.types import UserError


class Repeats:
    """More jobs of a session, done in the worker's thread (arguments as in `SessionJobs`)."""

    def __init__(
        self,
        jobs: SessionJobs,
        read: Callable[[], State],
        publish: Callable[..., None],
        stop: threading.Event,
    ) -> None:
        self._jobs = jobs
        self._read = read
        self._publish = publish
        self._stop = stop

    def again(self) -> None:
        """Go back to where the last run began, and do it again for the same goal."""
        self._jobs.end(STOPPED)
        ended = self._jobs.last_run
        if ended.start is None:
            raise UserError(
                "this world cannot go back to where the run began: lay it out by hand, and make "
                "the goal again"
            )
        self._jobs.start(ended.goal, ended.again(StopRule.of(self._read().settings)))

    def go_on(self) -> None:
        """Go on with the last run, from where it has ended, until it is nearer to its goal."""
        self._jobs.end(STOPPED)
        ended = self._jobs.last_run
        self._jobs.start(ended.next_goal, ended.going_on())

    def run_batch(self, num_scenes: int) -> None:
        """Run one scene after the other, for the tasks that the benchmark draws from the seed.

        Stop ends the batch with the run under way; Pause does so, too, but that run can go on.
        """
        jobs = self._jobs
        require_judge(jobs.scene.present.env, "a batch of runs")
        jobs.end(STOPPED)
        settings = self._read().settings
        seed = self._read().choices.seed
        batch = Batch(num_scenes)
        self._publish(batch=batch)
        with ExitStack() as at_end:
            at_end.callback(lambda: self._publish(batch=replace(batch, is_running=False)))
            for index in range(num_scenes):
                task = self._draw_task(seed, index, settings)
                jobs.reset(replace(settings, seed=task.env_seed, num_objects=None))
                self._publish(draft=Draft((Pair(task.source, task.target),)))
                jobs.start(task.goal)
                if self._stop.is_set() or jobs.is_under_way:
                    return
                batch = batch.with_outcome(jobs.last_run.verdict.outcome)
                self._publish(batch=batch)

    def _draw_task(self, seed: int, index: int, settings: Settings) -> Task:
        """Draw a task; if there is none, set the scene anew, since drawing lays out others."""
        with ExitStack() as on_error:
            on_error.callback(self._jobs.reset, settings)
            task = draw_task(self._jobs.scene.present.env, seed, index)
            on_error.pop_all()
        return task
