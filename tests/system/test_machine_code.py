"""Compiled code: whatever is wrong with the place where it is kept costs time alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
from visual_foresight.system.machine_code import compiled
sys.path.insert(0, ".")
from doubling import double
double = compiled(double, announcement="compiling")
print(double(21))
"""
DOUBLE = "def double(number):\n    return 2 * number\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "doubling.py").write_text(DOUBLE)
    return tmp_path


def say(place: Path, **environment: str) -> str:
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=place,
        env={**known, "PYTHONPATH": os.getcwd(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_code_that_is_kept_is_used_and_cut_code_is_made_anew(place: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(place / "cache")}
    assert say(place, **cache) == "compiling\n42\n"
    for length in (0, 5):
        for kept in (place / "cache").rglob("*.nb*"):
            kept.write_bytes(kept.read_bytes()[:length])
        assert say(place, **cache) == "compiling\n42\n"
    assert say(place, **cache) == "42\n"


@pytest.mark.slow
def test_nothing_is_made_where_there_is_no_home(place: Path) -> None:
    beside = place / "sealed"
    beside.mkdir()
    (beside / "doubling.py").write_text(DOUBLE)
    (beside / "__pycache__").write_text("a file, so that nothing can be kept beside the module")
    without_home = """
import os, os.path
os.path.expanduser = lambda path: path  # as for a user without a home and without a name
os.access = lambda path, mode: False
"""
    program = without_home + PROGRAM.replace('".")', f'"{beside}")')
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        env={**known, "PYTHONPATH": os.getcwd(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.endswith("42\n"), done.stderr
    assert not (place / "~").exists()
