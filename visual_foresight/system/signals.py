"""Signals that ask the program to end: Ctrl-C, SIGTERM and SIGHUP do the same.

They arrive as a `KeyboardInterrupt`, so that everything that is open is closed on the way out. Who
has something to keep first lets them wait (`deferred`).
"""

import logging
import multiprocessing
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

logger = logging.getLogger(__name__)
PATIENCE_S = 5  # within which a worker that was told to end has ended


class Ended(KeyboardInterrupt):
    """SIGTERM or SIGHUP came."""


@contextmanager
def alike() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, together with its worker processes.

    A signal that the program was started to ignore (`nohup`) stays ignored. Outside of the main
    thread, which alone gets signals, nothing is changed.
    """
    earlier: dict[signal.Signals, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number, handler in ((signal.SIGTERM, _end), (signal.SIGHUP, _terminate)):
            if signal.getsignal(number) is signal.SIG_DFL:
                earlier[number] = signal.signal(number, handler)
    try:
        yield
    except KeyboardInterrupt:
        end_workers()
        raise
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


class Request:
    """Whether the program was asked to end, and what ends it."""

    is_there = False
    ending = KeyboardInterrupt()


@contextmanager
def deferred() -> Iterator[Request]:
    """Let the first signal be noted only; the next one ends the block at once.

    Whoever asked for the delay ends the program after keeping what there is: by raising
    `Request.ending`.
    """
    request = Request()
    earlier: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        request.is_there = True
        request.ending = KeyboardInterrupt() if number == signal.SIGINT else Ended()
        restore()
        logger.info("stopping: what is under way is kept first; the next signal ends at once")

    def restore() -> None:
        for number, handler in earlier.items():
            signal.signal(number, handler)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                earlier[number] = signal.signal(number, note)
    try:
        yield request
    finally:
        restore()


def end_workers() -> None:
    """End the worker processes of this one, also in the middle of their work."""
    workers = multiprocessing.active_children()
    for worker in workers:
        worker.terminate()
    for worker in workers:
        worker.join(PATIENCE_S)


def _end(number: int, frame: FrameType | None) -> None:
    raise Ended


def _terminate(number: int, frame: FrameType | None) -> None:
    """Do what SIGTERM does now, whoever handles it."""
    signal.raise_signal(signal.SIGTERM)
