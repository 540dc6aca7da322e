"""Independent jobs in worker processes, with a progress bar on stderr.

No worker outlives the call, even when the parent process is killed.
"""

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from typing import TypeVar

import cv2
import torch
from tqdm import tqdm

from visual_foresight.system.allocator import keep_freed_memory
from visual_foresight.system.signals import end_workers
from visual_foresight.types import UserError

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
        UserError: a worker was killed from outside.
    """
    if min(num_workers, len(jobs)) <= 1:
        with _one_thread():
            for job in tqdm(jobs, label, smoothing=0.05, dynamic_ncols=True, disable=not label):
                yield job, work(job)
        return
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="visual-foresight-") as folder:
        num_processes = min(num_workers, len(jobs))
        pool = ProcessPoolExecutor(num_processes, context, _start, (folder,))
        try:
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
            raise UserError(
                "a worker process was killed (out of memory?): run again, with fewer --workers"
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)


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
