"""Runs that come of other runs: again, on from where one has ended, and many in a row."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from visual_foresight.gui.session.goals import Draft, Pair
from visual_foresight.gui.session.jobs import SessionJobs
from visual_foresight.gui.session.state import State
from visual_foresight.gui.session.trials.batch import Batch, draw_task
from visual_foresight.interfaces import Snapshots
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
        ended = self._jobs.last_run
        env = self._jobs.scene.present.env
        if not isinstance(env, Snapshots):
            raise UserError(
                "this world cannot go back to where the run began: lay it out by hand, and make "
                "the goal again"
            )
        env.restore(ended.start)
        self._jobs.scene.publish_frame()
        self._jobs.start(ended.goal)

    def go_on(self) -> None:
        """Go on with the last run, from where it has ended, until it is nearer to its goal."""
        ended = self._jobs.last_run
        self._jobs.start(ended.next_goal, ended)

    def run_batch(self, num_scenes: int) -> None:
        """Run one scene after the other, for the tasks that the benchmark draws from the seed.

        Stop ends the batch with the run under way; Pause does so, too, but that run can go on.
        """
        jobs = self._jobs
        settings = self._read().settings
        seed = self._read().choices.seed
        batch = Batch(num_scenes)
        self._publish(batch=batch)
        with ExitStack() as at_end:
            at_end.callback(lambda: self._publish(batch=replace(batch, is_running=False)))
            for index in range(num_scenes):
                task = draw_task(jobs.scene.present.env, seed, index)
                jobs.reset(replace(settings, seed=task.env_seed, num_objects=None))
                self._publish(draft=Draft((Pair(task.source, task.target),)))
                jobs.start(task.goal)
                if self._stop.is_set() or jobs.is_under_way:
                    return
                batch = batch.with_outcome(jobs.last_run.verdict.outcome)
                self._publish(batch=batch)
