"""What a job of the session is, and who hears that code is compiled for it."""

import logging
from collections.abc import Callable

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
