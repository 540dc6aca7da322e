"""The page's program ends alike by Ctrl-C, SIGTERM and SIGHUP, and leaves nothing behind."""

import signal

import pytest

from tests.gui.program import Program


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_ends_and_leaves_no_folders(tmp_path, monkeypatch, number):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    program = Program(tmp_path / "runs", "--model", "still")  # in the pushing table's world
    try:
        program.process.send_signal(number)
        code = program.process.wait(60)
        said = program.said()
    finally:
        program.process.kill()
        program.log.close()
    assert "Traceback" not in said and "semaphore" not in said
    assert code == 0 and "runs: 0" in said, "this is how a page ends"
    assert not list(temporary.iterdir())
