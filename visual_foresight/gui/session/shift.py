"""One job after the other for the session, in a thread of their own, and rest between them.

Simulator and models live in that thread, so that the page never waits.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from visual_foresight.control.interruptible import StoppedError
from visual_foresight.gui.session.jobs import STOPPED, SessionJobs
from visual_foresight.gui.session.state import Status
from visual_foresight.gui.session.worker import Job
from visual_foresight.system.files import remedy
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)


class Shift:
    """Starts jobs, says in the session's state what is done, and rests afterwards.

    Args:
        jobs: whose trial may have to be ended before the session can rest.
        lock: held where the state is read and changed.
        publish: changes fields of the state.
        stop: set when the run under way is to end.
        others: what else is set to break a job off; all of them count for one job alone.
    """

    def __init__(
        self,
        jobs: SessionJobs,
        lock: threading.RLock,
        publish: Callable[..., None],
        stop: threading.Event,
        others: Sequence[threading.Event],
    ) -> None:
        self._jobs = jobs
        self._lock = lock
        self._publish = publish
        self._stop = stop
        self._others = others
        self._worker = Worker(self._fail)

    def start(self, status: Status, job: Job) -> None:
        """Have the worker do a job, and show a status until it rests again."""
        for event in (self._stop, *self._others):
            event.clear()
        self._publish(status=status, message="", is_error=False)

        def do_and_rest() -> None:
            try:
                job()
            except StoppedError:
                self._publish(message="Stopped: the question was not answered")
            while not self._try_to_rest():  # `stop` came too late for the job to see it
                self._jobs.end(STOPPED)

        self._worker.submit(do_and_rest)

    def add(self, job: Job) -> None:
        """Have the worker do something short, while the session seems to rest.

        When it fails, that is said, and nothing else changes: a run may be waiting behind it.
        """
        self._worker.submit(job, self._say)

    def close(self) -> None:
        """Finish, and free what the jobs hold."""
        self._worker.submit(self._jobs.close)
        self._worker.close()

    def _try_to_rest(self) -> bool:
        """Rest, unless a trial has still to be stopped; tell whether the session rests.

        The lock makes sure that a stop finds the session busy or at rest, never in between.
        """
        with self._lock:
            if self._stop.is_set() and self._jobs.is_under_way:
                return False
            self._rest()
            return True

    def _rest(self) -> None:
        self._publish(
            is_compiling=False,
            status=Status.PAUSED if self._jobs.is_under_way else Status.READY,
        )

    def _say(self, sentence: str) -> None:
        self._publish(message=sentence, is_error=True)

    def _fail(self, sentence: str) -> None:
        self._say(sentence)
        self._rest()


class Worker:
    """Does jobs in order, in its own thread.

    Args:
        on_failure: called with one sentence when a job fails; the worker goes on.
    """

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._on_failure = on_failure
        self._jobs: SimpleQueue[tuple[Job, Callable[[str], None]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="session", daemon=True)
        self._thread.start()

    def submit(self, job: Job, on_failure: Callable[[str], None] | None = None) -> None:
        """Add a job, to be done after those submitted before.

        Args:
            job: what is done.
            on_failure: called in place of the worker's own when this job fails.
        """
        self._jobs.put((job, on_failure or self._on_failure))

    def close(self) -> None:
        """Finish what was submitted, and end the thread."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (submitted := self._jobs.get()) is not None:
            job, on_failure = submitted
            try:
                job()
            except UserError as error:
                on_failure(str(error))
            # A bug in a job is reported and logged; it must not end the session.
            except Exception as error:
                sentence = remedy(error) if isinstance(error, OSError) else None
                if sentence is None:
                    logger.exception("a job of the session failed")
                    sentence = (
                        f"this failed, which is a bug ({type(error).__name__}: {error}); "
                        "the page can still be used"
                    )
                on_failure(sentence)
