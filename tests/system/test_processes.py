"""Workers: results whatever their number, one sentence when a job fails, nothing left behind."""

import tempfile
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


def test_bad_input_in_a_worker_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(UserError, match="got -1"):
        list(run_parallel(square, [-1, 2], 2, "squares"))
    assert not list(tmp_path.iterdir())
