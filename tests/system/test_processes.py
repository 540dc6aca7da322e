"""Workers: results whatever their number, one sentence when a job fails, nothing left behind."""

import errno
import multiprocessing.context
import multiprocessing.synchronize
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from visual_foresight.system.processes import run_parallel
from visual_foresight.types import UserError


def square(number: int) -> tuple[int, int]:
    if number < 0:
        raise UserError(f"a number of 0 or more is needed, got {number}")
    return number**2, torch.get_num_threads()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_every_job_is_done_once_on_one_thread(num_workers: int) -> None:
    assert sorted(run_parallel(square, [3, 1, 2], num_workers, "squares")) == [
        (1, (1, 1)),
        (2, (4, 1)),
        (3, (9, 1)),
    ]


def test_one_worker_gives_back_the_threads() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert [result for _, result in run_parallel(square, [3], 1, "squares")] == [(9, 1)]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


SCRIPT = """
import sys
from visual_foresight.system.processes import run_parallel
from visual_foresight.types import UserError

def negative(number):
    return -number

{guard}
try:
    print(sorted(run_parallel(negative, [1, 2], 2)))
except UserError as error:
    print(error)
"""


def test_a_script_without_a_main_guard_is_told_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(guard=""))
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    last = done.stdout.splitlines()[-1]
    assert "below `if __name__ == '__main__':`" in last and "killed" not in last


def test_far_too_many_workers_are_refused_before_they_start() -> None:
    with pytest.raises(UserError, match="5000 --workers on .* cores would take all memory"):
        next(iter(run_parallel(square, list(range(5000)), 100_000)))


def lacking(error: OSError) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def test_no_semaphores_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (errno.ENOENT, errno.ENOSYS, errno.EACCES, errno.ENOSPC):
        error = OSError(number, "no semaphores")
        monkeypatch.setattr(multiprocessing.synchronize.SemLock, "__init__", lacking(error))
        with pytest.raises(UserError, match="without /dev/shm .*--workers 1"):
            list(run_parallel(square, [1, 2], 2))


def test_no_room_for_processes_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    error = BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", lacking(error))
    with pytest.raises(
        UserError, match="2 worker processes cannot be started .*fewer --workers"
    ):
        list(run_parallel(square, [1, 2], 2))


def end(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_is_named_as_before() -> None:
    with pytest.raises(UserError, match="killed .out of memory.*fewer --workers"):
        list(run_parallel(end, [1, 2], 2))


def test_bad_input_in_a_worker_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UserError, match="got -1"):
        list(run_parallel(square, [-1, 2], 2, "squares"))
    assert not list(tmp_path.iterdir())
