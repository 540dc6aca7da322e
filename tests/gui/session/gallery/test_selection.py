"""Which runs are listed: found by words, ordered, and page by page."""

from dataclasses import replace
from time import process_time

import pytest

from visual_foresight.gui.session.gallery.entry import Entry
from visual_foresight.gui.session.gallery.selection import (
    FARTHEST,
    NEAREST,
    NEWEST,
    OLDEST,
    PER_PAGE,
    Selection,
    listed,
)

RUN = Entry(
    folder="push",
    number=0,
    model="rigid",
    goal="(36, 24) → (32, 36)",
    outcome="reached",
    num_steps=6,
    distance=2.0,
    unit="px",
    distance_m=0.02,
    is_believed=False,
    date="2026-01-01T10:00:00.000+00:00",
)
FAR = replace(RUN, number=1, distance_m=0.1, outcome="not reached", date="2026-01-02T10:00:00Z")
BELIEVED = replace(RUN, number=2, distance_m=None, distance=7.0, date="2026-01-03T10:00:00Z")
FAN = replace(
    RUN,
    number=3,
    folder="dot-96x96",
    model="still",
    goal="none",
    outcome="fan: +x",
    distance=None,
    distance_m=None,
    date="2025-12-31T10:00:00Z",
)
RUNS = (RUN, FAR, BELIEVED, FAN)


def numbers(selection, notes=None):
    return [entry.number for entry in listed(RUNS, notes or {}, selection).entries]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (NEWEST, [2, 1, 0, 3]),
        (OLDEST, [3, 0, 1, 2]),
        (NEAREST, [0, 1, 2, 3]),
        (FARTHEST, [2, 1, 0, 3]),
    ],
)
def test_runs_are_ordered_and_those_of_unknown_distance_come_last(order, expected):
    assert numbers(Selection(order=order)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [2, 1, 0, 3]),
        ("RIGID", [2, 1, 0]),
        ("dot-96x96-000003", [3]),
        ("fan still", [3]),
        ("not reached", [1]),
        ("(36, 24)", [2, 1, 0]),
        ("2026-01-02", [1]),
        ("straße", [1]),
        ("rigid fan", []),
        ("<b>", []),
    ],
)
def test_each_word_has_to_be_somewhere(text, expected):
    assert numbers(Selection(text), {FAR.name: "Along the STRASSE\nreached"}) == expected


def test_each_run_is_on_one_page():
    runs = many(2 * PER_PAGE + 5)
    pages = [listed(runs, {}, Selection(page=page)) for page in range(3)]
    assert sorted(entry.number for page in pages for entry in page.entries) == list(
        range(len(runs))
    )
    assert {page.num_pages for page in pages} == {3}
    assert pages[1].text == f"{PER_PAGE + 1} to {2 * PER_PAGE} of {len(runs)} runs"


def test_a_thousand_runs_are_searched_at_once():
    runs = many(1000)
    seconds = []
    for _ in range(3):
        begun = process_time()
        found = listed(runs, {}, Selection("rigid 2026"))
        seconds.append(process_time() - begun)
    assert found.count == 1000 and min(seconds) < 0.3


def many(count):
    days = [f"2026-01-{1 + number % 28:02d}T10:00:00Z" for number in range(count)]
    return [replace(RUN, number=number, date=day) for number, day in enumerate(days)]


def test_a_page_after_the_last_one_is_the_last_one():
    found = listed(RUNS, {}, Selection(page=99))
    assert (found.page, found.num_pages, found.text) == (0, 1, "4 runs")
    assert listed((), {}, Selection(page=3)).text == "0 runs"
    assert listed(RUNS[:1], {}, Selection()).text == "1 run"
