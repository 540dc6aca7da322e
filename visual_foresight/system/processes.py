"""Independent jobs in worker processes, with a progress bar on stderr.

No worker outlives the call, even when the parent process is killed.
"""

import errno
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import TypeVar

import cv2
import torch
from tqdm import tqdm

from visual_foresight.system.allocator import keep_freed_memory
from visual_foresight.system.cores import usable_cores
from visual_foresight.system.signals import end_workers
from visual_foresight.types import UserError

MOST_PER_CORE, MOST_ANYWHERE = 4, 16
"""More workers than both allow are refused: each takes a core and some hundred megabytes."""
TOO_MANY = (errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
STARTED = "started"
"""A file of this name says that a worker got as far as its first job."""
Job = TypeVar("Job")
Result = TypeVar("Result")


def run_parallel(
    work: Callable[[Job], Result], jobs: Sequence[Job], num_workers: int, label: str = ""
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result, in the order in which they end.

    Args:
        work: a function at the top level of a module, called in new processes of one thread each.
        jobs: picklable arguments of `work`.
        num_workers: how many processes; with 1, or for a single job, the work is done in this
            process, which then uses one thread, too.
        label: what the progress bar says; no bar when empty.

    Raises:
        UserError: there are far too many workers, they cannot be started, or one was killed from
            outside.
    """
    if min(num_workers, len(jobs)) <= 1:
        with _one_thread():
            for job in tqdm(jobs, label, smoothing=0.05, dynamic_ncols=True, disable=not label):
                yield job, work(job)
        return
    num_processes = min(num_workers, len(jobs))
    _require_few(num_processes)
    with tempfile.TemporaryDirectory(prefix="visual-foresight-") as folder:
        pool = spawning_pool(num_processes, partial(_start, folder))
        try:
            with _startable(num_processes):
                jobs_of = {pool.submit(work, job): job for job in jobs}
            bar = tqdm(
                as_completed(jobs_of),
                label,
                len(jobs_of),
                smoothing=0.05,
                dynamic_ncols=True,
                disable=not label,
            )
            for future in bar:
                yield jobs_of[future], future.result()
        except KeyboardInterrupt:
            end_workers()
            raise
        except BrokenProcessPool as error:
            if (Path(folder) / STARTED).exists():
                raise UserError(
                    "a worker process was killed (out of memory?): run again, with fewer --workers"
                ) from error
            raise UserError(
                "no worker process got as far as its first job: a script that starts some calls "
                "this below `if __name__ == '__main__':`, because each of them imports the script; "
                "do so, or use one worker (if it does: is there memory for more?)"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


def _require_few(num_processes: int) -> None:
    """Refuse so many workers that the machine would have no memory left for them."""
    cores = usable_cores()
    most = max(MOST_PER_CORE * cores, MOST_ANYWHERE)
    if num_processes > most:
        raise UserError(
            f"{num_processes} --workers on {cores} cores would take all memory and be no faster: "
            f"use {cores}, and {most} at most"
        )


def spawning_pool(
    num_processes: int, set_up: Callable[[], None] | None = None
) -> ProcessPoolExecutor:
    """Return workers, which start with their first jobs.

    Args:
        num_processes: how many.
        set_up: called first in each of them.

    Raises:
        UserError: the system has no semaphores for them.
    """
    context = multiprocessing.get_context("spawn")
    try:
        return ProcessPoolExecutor(num_processes, context, set_up)
    except OSError as error:  # semaphores are files there
        raise UserError(
            f"workers cannot be started without /dev/shm ({error.strerror}): have it mounted, "
            "writable and not full, or use --workers 1"
        ) from error


@contextmanager
def _startable(num_processes: int) -> Iterator[None]:
    """Say in words that processes could not be started."""
    try:
        yield
    except OSError as error:
        if error.errno not in TOO_MANY:
            raise
        raise UserError(
            f"{num_processes} worker processes cannot be started ({error.strerror}): "
            "use fewer --workers"
        ) from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread, as workers do: their number must not change the last bit."""
    torch_threads = torch.get_num_threads()
    cv2_threads = cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(torch_threads)
        cv2.setNumThreads(cv2_threads)


def _start(folder: str) -> None:
    """Set up a worker process: one thread, and it ends at the first Ctrl-C or with its parent.

    Workers end without cleaning up, so their temporary files go to a folder that the parent
    removes.
    """
    (Path(folder) / STARTED).touch()
    keep_freed_memory()
    tempfile.tempdir = folder
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
