"""The rules of the house that no linter knows (`CONVENTIONS.md`), read from the sources."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from visual_foresight.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "visual_foresight").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
PROGRAMS = [path for name in ("benchmarks", "docs") for path in (ROOT / name).rglob("*.py")]
SOURCES = [*PACKAGE, *EXAMPLES, *TESTS, *sorted(PROGRAMS)]
MAX_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_MODULES = 14  # in a folder
MAX_WIDTH_P90 = 90  # columns that nine of ten lines do not exceed
MAX_UNPACKED = 0.5  # generators unpacked into names, per 1,000 statements
DISTRIBUTIONS = {
    "cv2": "opencv-python-headless",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "PIL": "pillow",
    "pybullet_data": "pybullet",
}
UNSEEN = {"tensorboard"}
"""Declared because something imports it for us: torch for its SummaryWriter."""
FORBIDDEN_CALLS = {
    "hasattr": "say what the object is, in its type",
    "cuda": "use .to(device); the device follows the inputs",
    "manual_seed_all": "randomness comes in as a generator",
    "set_default_device": "the device follows the inputs",
}
GLOBAL_SEEDS = {"np.random.seed", "numpy.random.seed", "random.seed"}


def short(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path):
    """Yield (line, dotted name) of every call in a file."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_a_file_fits_in_the_head(path):
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= MAX_LINES, f"{short(path)} has {count} lines: split it by what it knows"


@pytest.mark.parametrize("path", [*PACKAGE, *EXAMPLES], ids=short)
def test_a_function_fits_on_a_screen(path):
    long = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = (
                node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            )
            count = (node.end_lineno or 0) - body[0].lineno + 1
            if count > MAX_FUNCTION_LINES:
                long.append(f"{node.name} ({count} lines)")
    assert not long, (
        f"{short(path)}: {', '.join(long)}; at most {MAX_FUNCTION_LINES} lines of code"
    )


def test_a_folder_holds_alternatives_not_everything():
    folders = Counter(path.parent for path in PACKAGE if path.name != "__init__.py")
    crowded = {short(folder): count for folder, count in folders.items() if count > MAX_MODULES}
    assert not crowded, f"more than {MAX_MODULES} modules: rebuild the room"


def test_lines_are_as_wide_as_a_page():
    lines = [line for path in PACKAGE for line in path.read_text(encoding="utf-8").splitlines()]
    widths = sorted(len(line) for line in lines if line.strip())
    assert widths[int(0.9 * len(widths))] <= MAX_WIDTH_P90


def test_names_get_their_values_on_plain_lines():
    """`a, b = (f(x) for x in (c, d))` is two lines that somebody has to unfold."""
    found, num_statements = [], 0
    for path in PACKAGE:
        for node in ast.walk(tree(path)):
            num_statements += isinstance(node, ast.stmt)
            if (
                isinstance(node, ast.Assign)
                and isinstance(node.targets[0], ast.Tuple)
                and isinstance(node.value, ast.GeneratorExp | ast.ListComp)
            ):
                found.append(f"{short(path)}:{node.lineno}")
    assert len(found) <= MAX_UNPACKED * num_statements / 1000, "\n".join(found)


@pytest.mark.parametrize("path", TESTS, ids=short)
def test_tests_come_in_by_the_public_door(path):
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("visual_foresight"):
            found += [name.name for name in node.names if is_private(name.name)]
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            owner = ast.unparse(node.value)
            if owner not in ("self", "cls"):
                found.append(f"line {node.lineno}: {owner}.{node.attr}")
    assert not found, f"{short(path)} looks at private names: {', '.join(found)}"


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("path", [*PACKAGE, *EXAMPLES], ids=short)
def test_forbidden_calls(path):
    found = []
    for line, name in calls(path):
        last = name.split(".")[-1]
        if last in FORBIDDEN_CALLS or name in GLOBAL_SEEDS:
            advice = FORBIDDEN_CALLS.get(last, "no global seeds; pass a generator")
            found.append(f"{short(path)}:{line}: {name}: {advice}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", [*PACKAGE, *EXAMPLES], ids=short)
def test_annotations_are_evaluated(path):
    """With `from __future__ import annotations` the shapes would not be checked."""
    modules = [node.module for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom)]
    assert "__future__" not in modules


def test_no_drawer_for_everything():
    assert not [
        path for path in PACKAGE if path.stem in ("utils", "util", "helpers", "misc", "common")
    ]


def test_what_is_imported_is_declared_and_the_reverse():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"], *extras["metrics"], *extras["pusht"]]
    declared = {re.split(r"[<>=~!\[ ]", requirement)[0] for requirement in requirements}
    modules = set()
    for path in PACKAGE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                modules |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules.add((node.module or "").split(".")[0])
    needed = {
        DISTRIBUTIONS.get(name, name) for name in modules if name not in sys.stdlib_module_names
    } - {"visual_foresight"}
    assert needed <= declared, (
        f"imported, but not in pyproject.toml: {sorted(needed - declared)}"
    )
    assert declared - UNSEEN <= needed, (
        f"in pyproject.toml, but not imported: {sorted(declared - UNSEEN - needed)}"
    )


def documents():
    folders = [
        path
        for name in ("models", "data", "docs", "examples")
        for path in (ROOT / name).rglob("*.md")
    ]
    return sorted([*ROOT.glob("*.md"), *folders])


@pytest.mark.parametrize("path", documents(), ids=short)
def test_documents_name_commands_and_files_that_exist(path):
    text = path.read_text(encoding="utf-8")
    for words in re.findall(
        r"(?:^|`|\.venv/bin/)visual-foresight ([a-z][a-z ]*)", text, flags=re.MULTILINE
    ):
        named = words.split()
        assert " ".join(named[:2]) in COMMANDS or named[0] in COMMANDS, (
            f"{short(path)}: visual-foresight {words}"
        )
    for script in re.findall(r"`(scripts/\w+(?:\.\w+)?)", text):
        assert (ROOT / script).is_file(), f"{short(path)} names {script}, which does not exist"
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (path.parent / target).exists(), (
            f"{short(path)} links to {target}, which does not exist"
        )


@pytest.mark.parametrize(
    "script", [path for path in (ROOT / "scripts").iterdir() if path.is_file()], ids=short
)
def test_scripts_can_be_run(script):
    assert script.stat().st_mode & 0o111, f"chmod +x {short(script)}"
    first = script.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("#!/usr/bin/env ")
    if first.endswith("bash"):
        subprocess.run(["bash", "-n", str(script)], check=True, timeout=30)
