"""One thread that does one job at a time.

The simulator and the models live there, so that the page never waits.
"""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from visual_foresight.system.files import remedy
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
Job = Callable[[], None]


class Worker:
    """Does jobs in order, in its own thread.

    Args:
        failed: told in one sentence when a job fails; the worker lives on.
    """

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="session", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Do this when what came before is done."""
        self._jobs.put(job)

    def close(self) -> None:
        """Finish what was submitted, and end."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except UserError as error:
                self._failed(str(error))
            # the last door: a bug in a job is told and logged, and must not end the session
            except Exception as error:
                sentence = remedy(error) if isinstance(error, OSError) else None
                if sentence is None:
                    logger.exception("a job of the session failed")
                    sentence = f"this failed, which is a bug ({type(error).__name__}: {error}); the page can still be used"
                self._failed(sentence)
