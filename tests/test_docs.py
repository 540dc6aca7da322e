"""The documentation: within its limits, up to date, and its examples run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import DOCS, architecture, generated, reference, sentences
from visual_foresight.cli import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "data" / "README.md", *DOCS.rglob("*.md")])
EXAMPLE = re.compile(r"^<!-- run -->\n```(bash|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MAX_LINES, MAX_WORDS = 130, 1200
MAX_COLUMNS, MAX_TABLE_COLUMNS = 100, 140


def examples(path):
    return EXAMPLE.findall(path.read_text(encoding="utf-8"))


def short(path):
    return str(path.relative_to(ROOT))


def test_the_readme_can_be_read_in_five_minutes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= MAX_LINES and len(text.split()) <= MAX_WORDS
    for line in lines:
        assert len(line) <= (MAX_TABLE_COLUMNS if line.startswith("|") else MAX_COLUMNS), line


def test_the_readme_begins_with_what_moves_an_object():
    first_screen = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:25]
    assert any("demo.gif" in line for line in first_screen)
    assert any(line.startswith("scripts/demo") for line in first_screen)


def test_generated_pages_are_up_to_date():
    old = [
        name
        for name, text in generated().items()
        if not (DOCS / name).is_file() or (DOCS / name).read_text(encoding="utf-8") != text
    ]
    assert not old, f"run scripts/make_docs: {', '.join(old)}"


def test_every_command_and_script_has_its_page():
    assert reference.COMMAND_PAGES.keys() == COMMANDS.keys()
    scripts = (DOCS / "reference" / "scripts.md").read_text(encoding="utf-8")
    for path in (ROOT / "scripts").iterdir():
        assert f"`scripts/{path.name}" in scripts, f"{path.name} is not in reference/scripts.md"


def test_every_flag_says_what_it_is_for():
    for name in COMMANDS:
        rows = reference.command_page(name).split("| --- |")[-1].splitlines()
        unsaid = [row for row in rows if row.startswith("| `--") and row.endswith("|  |")]
        assert not unsaid, f"{name}: {unsaid}"


SPEAKER = """
LIMIT = 3

class Door:
    def enter(self, guest, wrong):
        if guest.age < LIMIT:
            raise UserError(
                f"{guest.full_name!r} is {len(guest.years)} of {LIMIT}, not `{guest.age}`: wait"
            )
        sentence = f"no shoe_lace in {wrong[0]}: tie it" if wrong else "no coat: put it on"
        raise UserError(sentence)

def remedy(error):
    return "the door " + error.state + " is shut: knock" if error else None

def check(path):
    return Problem(path, f"{path} is wet", "dry it")

def work():
    raise ValueError("a bug of ours: repair it")
"""


def test_sentences_are_read_from_the_sources_with_names_in_their_holes():
    assert set(sentences.sentences_of(SPEAKER)) == {
        "*full name* is *years* of *limit*, not '*age*': wait",
        "no shoe\\_lace in *wrong*: tie it",
        "no coat: put it on",
        "the door *state* is shut: knock",
        "*path* is wet: dry it",
    }


def test_every_sentence_says_what_to_do():
    """What was expected, what came, and after a colon or a semicolon what to do."""
    said = [line for line in sentences.page().splitlines() if line.startswith("- ")]
    assert len(said) > 150
    silent = [line for line in said if not re.search(r"[:;] \S", line)]
    assert not silent, "\n".join(silent)


def test_the_page_lists_what_each_room_says():
    text = sentences.page()
    assert "a port is between 1 and *max port*, got *port*: choose another" in text
    assert "This page answers to 127.0.0.1 and localhost only: open the address" in text
    for room in ("cli", "plan", "gui", "evaluation", "training", "episodes", "system"):
        assert f"## {room}\n" in text


def test_every_room_has_a_place_in_the_picture():
    rooms = {room for floor in architecture.floors() for room in floor}
    assert rooms == architecture.PLACES.keys()
    picture = architecture.picture()
    assert all(f">{room}<" in picture for room in rooms)


def test_implied_arrows_are_those_with_a_longer_way():
    edges = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}
    assert architecture.implied(edges) == {("a", "c")}


def test_the_walks_name_files_and_functions_that_exist():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    text = re.sub(r"\s+", " ", text)
    files = set(re.findall(r"`([\w/]+\.py)`", text))
    pairs = re.findall(r"`([\w/]+\.py)`: `([\w.]+)`", text)
    pairs += [(path, name) for name, path in re.findall(r"`([\w.]+)` in `([\w/]+\.py)`", text)]
    assert len(pairs) > 30
    for path in files:
        assert (ROOT / "visual_foresight" / path).is_file(), path
    for path, name in pairs:
        source = (ROOT / "visual_foresight" / path).read_text(encoding="utf-8")
        for part in name.split("."):
            assert re.search(rf"\b(def|class) {part}\b", source), f"{path} has no {part}"


def test_the_glossary_is_in_order():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8").split("## ")[0]
    words = [row.split(" | ")[0][2:].lower() for row in text.splitlines() if row[:2] == "| "][
        2:
    ]
    assert words == sorted(words) and len(words) > 50


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_fetches_nothing(tmp_path):
    words = ["mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    built = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(
            r'<(?:script|img|link|iframe)[^>]*(?:src|href)="(https?:[^"]*)', text
        )
        assert not fetched, f"{page.name} fetches {fetched}"


@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in PAGES if examples(path)], ids=short)
def test_examples_run(path, tmp_path):
    """All examples of a page, one after another, in an empty folder with the shipped sample."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sample").symlink_to(ROOT / "data" / "sample")
    program = tmp_path / "bin" / "visual-foresight"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m visual_foresight "$@"\n')
    program.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    for language, text in examples(path):
        command = {"bash": ["bash", "-euc", text], "python": [sys.executable, "-c", text]}
        done = subprocess.run(
            command[language],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
