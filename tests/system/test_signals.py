"""Ctrl-C, SIGTERM and SIGHUP end a program alike, and nothing of it stays."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from visual_foresight.system.signals import Ended, alike, deferred

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.mark.parametrize("number", ENDING)
def test_each_arrives_as_an_interruption(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in ENDING]
    with pytest.raises(KeyboardInterrupt) as ended, alike():
        signal.raise_signal(number)
    assert isinstance(ended.value, Ended) == (number != signal.SIGINT)
    assert [signal.getsignal(each) for each in ENDING] == before


def test_what_was_to_be_ignored_is_ignored() -> None:
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as `nohup` does
    try:
        with alike():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, earlier)


@pytest.mark.parametrize("number", ENDING)
def test_the_first_waits_and_the_second_does_not(number: signal.Signals) -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), alike(), deferred() as request:
        assert not request.is_there
        signal.raise_signal(number)
        reached = request.is_there
        assert isinstance(request.ending, Ended) == (number != signal.SIGINT)
        signal.raise_signal(number)
    assert reached


WORK = """
import os, sys, time
from pathlib import Path
from visual_foresight import cli
from visual_foresight.system.processes import run_parallel
from types import ModuleType
import dataclasses

def wait(job):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(60)

@dataclasses.dataclass(frozen=True)
class WaitConfig:
    \"\"\"Nothing.\"\"\"

def work(config):
    return list(run_parallel(wait, [1, 2, 3], 2))

if __name__ == "__main__":
    part = ModuleType("visual_foresight.waiting")
    part.WaitConfig, part.work = WaitConfig, work
    sys.modules[part.__name__] = part
    cli.COMMANDS["wait"] = cli.Command("Wait.", config="waiting:WaitConfig", work="waiting:work")
    cli.main(["wait"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", ENDING)
def test_workers_end_with_the_program_and_leave_no_folders(
    tmp_path: Path, number: signal.Signals
) -> None:
    temporary = tmp_path / "tmp"
    begun = tmp_path / "begun"
    temporary.mkdir()
    begun.mkdir()
    (tmp_path / "work.py").write_text(WORK)
    command = [sys.executable, str(tmp_path / "work.py"), str(begun)]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as program:
        while len(list(begun.iterdir())) < 2 and program.poll() is None:
            time.sleep(0.05)
        program.send_signal(number)  # to it alone: workers hear nothing
        _, said = program.communicate(timeout=30)
    assert program.returncode == (130 if number == signal.SIGINT else 143), said
    assert said == "visual-foresight: stopped; what was finished is kept\n"
    assert not list(temporary.iterdir())
    for each in begun.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(each.name), 0)
