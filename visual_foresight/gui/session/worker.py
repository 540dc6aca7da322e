"""One thread that does one job at a time.

Simulator and models live in it, so that the page never waits.
"""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue

from visual_foresight.system.files import remedy
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
Job = Callable[[], None]
COMPILER = "visual_foresight.system.machine_code"
"""The logger that tells of compiling."""


class CompilingHandler(logging.Handler):
    """Hears when code is compiled, without importing what compiles.

    Args:
        publish: called with `is_compiling`.
    """

    def __init__(self, publish: Callable[..., None]) -> None:
        super().__init__(logging.INFO)
        self._publish = publish
        logging.getLogger(COMPILER).setLevel(logging.INFO)
        logging.getLogger(COMPILER).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on what a record says of compiling."""
        is_compiling = vars(record).get("is_compiling")
        if is_compiling is not None:
            self._publish(is_compiling=is_compiling)

    def close(self) -> None:
        """Hear no more."""
        logging.getLogger(COMPILER).removeHandler(self)
        super().close()


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
