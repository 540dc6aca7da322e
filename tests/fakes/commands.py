"""The program's commands in this process: a process of its own takes seconds to begin."""

import json
from dataclasses import replace
from typing import Any

import pytest

from visual_foresight.cli import main
from visual_foresight.evaluation.suites import SUITES


def run_here(words: str, capsys: pytest.CaptureFixture[str], code: int = 0) -> tuple[Any, str]:
    """Run a command as the command line does.

    Args:
        words: what a user types after the program's name, without spaces in any of them.
        capsys: of the test.
        code: with which it is to end.

    Returns:
        Its figures, empty where there are none, and what it said beside them.
    """
    ended = 0
    try:
        main([*words.split(), "--json"])
    except SystemExit as leaving:
        assert isinstance(leaving.code, int)
        ended = leaving.code
    figures, said = capsys.readouterr()
    assert ended == code, said
    return json.loads(figures) if figures else {}, said


def shorten_trials(monkeypatch: pytest.MonkeyPatch, num_steps: int = 2) -> None:
    """Let trials of all suites, and plans of pixels, have so few steps for a test."""
    for name, suite in list(SUITES.items()):
        monkeypatch.setitem(SUITES, name, replace(suite, num_steps=num_steps))
