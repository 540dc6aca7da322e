"""Compiled code: whatever is wrong with the place where it is kept costs time alone."""

import os
import re
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
print(double(2.5))
"""
COMPILED = "compiling\ncompiled in N s\n42\n5.0\n"
DOUBLE = "def double(number):\n    return 2 * number\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "doubling.py").write_text(DOUBLE)
    return tmp_path


def say(place: Path, before: str = "", **environment: str) -> str:
    known = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{PROGRAM}"],
        cwd=place,
        env={**known, "PYTHONPATH": os.getcwd(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r"\d+\.\d s\b", "N s", done.stdout)


@pytest.mark.slow
def test_code_that_is_kept_is_used_and_cut_code_is_made_anew(place: Path) -> None:
    cache = {"NUMBA_CACHE_DIR": str(place / "cache")}
    assert say(place, **cache) == COMPILED
    for length in (0, 5):
        for kept in (place / "cache").rglob("*.nb*"):
            kept.write_bytes(kept.read_bytes()[:length])
        assert say(place, **cache) == COMPILED
    assert say(place, **cache) == "42\n5.0\n"


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
    assert done.returncode == 0 and done.stdout.endswith("42\n5.0\n"), done.stderr
    assert done.stdout.startswith("compiling\ncompiled in")
    assert not (place / "~").exists()


@pytest.mark.slow
@pytest.mark.parametrize("where", ["a full disk", "a short file"])
def test_code_that_cannot_be_kept_is_compiled_and_that_is_said(place: Path, where: str) -> None:
    cache = place / "cache"
    limit = ""
    if where == "a full disk":
        cache.mkdir()
        tiny = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(cache)]
        if subprocess.run(tiny, capture_output=True, check=False).returncode:
            pytest.skip("only root can mount")
    else:
        limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"
    try:
        for _ in range(2):
            assert say(place, limit, NUMBA_CACHE_DIR=str(cache)) == COMPILED
    finally:
        if where == "a full disk":
            subprocess.run(["umount", str(cache)], check=True)
