"""Decisions and research log: numbered, dated, short, listed in their index, and linked soundly."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
DECISIONS = sorted(path for path in (DOCS / "decisions").glob("*.md") if path.stem != "index")
LOG = sorted(path for path in (DOCS / "research-log").glob("*.md") if path.stem != "index")
PAGES = [*DECISIONS, *LOG]
INDICES = [DOCS / "decisions" / "index.md", DOCS / "research-log" / "index.md"]
MAX_LINES = 40  # of a decision
MAX_COLUMNS = 100
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives", "When to look again"]
STATUS = re.compile(
    r"Date: (?P<date>\d{4}-\d\d-\d\d)\. "
    r"Status: (?P<status>accepted|superseded by \[(?P<by>\d{4})\]\((?P=by)-[a-z0-9-]+\.md\))\."
)


def name(path):
    return path.name


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines()


def status_of(path):
    """Return the match of a decision's line of date and status."""
    line = lines_of(path)[2]
    match = STATUS.fullmatch(line)
    assert match, f"{path.name}: the third line is not a date and a known status: {line}"
    return match


def rows_of(index):
    """Return the cells of each row of an index's table."""
    rows = [line.strip("|").split(" | ") for line in lines_of(index) if line.startswith("| [")]
    return [[cell.strip() for cell in row] for row in rows]


def links_of(path):
    """Return the targets of all links to other files, without anchors."""
    text = path.read_text(encoding="utf-8")
    return re.findall(r"\]\((?!https?:|#)([^)#]+)", text)


def test_decisions_are_numbered_from_the_oldest_to_the_newest():
    numbers = [path.name[:5] for path in DECISIONS]
    assert numbers == [f"{number:04d}-" for number in range(1, len(DECISIONS) + 1)]
    dates = [date.fromisoformat(status_of(path)["date"]) for path in DECISIONS]
    assert all(before <= after for before, after in pairwise(dates))


@pytest.mark.parametrize("path", DECISIONS, ids=name)
def test_a_decision_has_number_date_status_and_sections(path):
    lines = lines_of(path)
    assert lines[0].startswith(f"# {path.name[:4]}. ")
    status = status_of(path)
    assert status["by"] is None or status["by"] > path.name[:4]
    assert [line[3:] for line in lines if line.startswith("## ")] == SECTIONS
    assert len(lines) <= MAX_LINES, f"{len(lines)} lines: what was tried goes to the log"


def test_the_index_lists_every_decision():
    expected = []
    for path in DECISIONS:
        number, title = lines_of(path)[0].removeprefix("# ").split(". ", 1)
        status = status_of(path)
        expected.append([f"[{number}]({path.name})", title, status["date"], status["status"]])
    assert rows_of(INDICES[0]) == expected


@pytest.mark.parametrize("path", LOG, ids=name)
def test_a_page_of_the_log_begins_with_question_and_answer(path):
    lines = lines_of(path)
    assert re.fullmatch(r"# [^#]+\?", lines[0]), f"no question: {lines[0]}"
    assert lines[1] == ""
    assert lines[2].startswith("**Answer.** ")


def test_the_index_lists_every_question_with_an_answer():
    rows = rows_of(INDICES[1])
    expected = {f"[{lines_of(path)[0].removeprefix('# ')}]({path.name})" for path in LOG}
    assert len(rows) == len(LOG)
    assert {question for question, _ in rows} == expected
    assert all(answer.endswith(".") for _, answer in rows)


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_pages_are_as_wide_as_a_screen(path):
    wide = [line for line in lines_of(path) if len(line) > MAX_COLUMNS]
    assert not wide, "\n".join(wide)


@pytest.mark.parametrize(
    "path", [*PAGES, *INDICES], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_links_lead_to_documents_that_exist(path):
    for target in links_of(path):
        linked = (path.parent / target).resolve()
        assert linked.is_file(), f"links to {target}, which does not exist"
        assert linked.is_relative_to(DOCS), f"links to {target}, which is not on the site"
