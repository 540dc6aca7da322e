"""Which of the kept runs are listed, in which order, and on which page of the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from visual_foresight.gui.session.gallery.entry import Entry

PER_PAGE = 24
"""Runs on a page of the list."""
NEWEST, OLDEST, NEAREST, FARTHEST = "newest", "oldest", "nearest", "farthest"
ORDERS = {
    NEWEST: "Newest first",
    OLDEST: "Oldest first",
    NEAREST: "Nearest to the goal first",
    FARTHEST: "Farthest from the goal first",
}
"""Name of an order -> its label on the page."""


@dataclass(frozen=True)
class Selection:
    """What somebody asked to see of the runs."""

    text: str = ""
    """Each of its words has to be in the run's name, model, goal, outcome, date or note."""
    order: str = NEWEST
    """One of `ORDERS`."""
    page: int = 0


@dataclass(frozen=True)
class Listed:
    """The runs of one page of the list."""

    entries: tuple[Entry, ...]
    first: int
    """How many are on the pages before."""
    count: int
    """How many are on all pages."""
    page: int
    num_pages: int

    @property
    def text(self) -> str:
        """Return which runs these are: "1 to 24 of 230 runs"."""
        runs = f"{self.count} run{'s' if self.count != 1 else ''}"
        if self.num_pages == 1:
            return runs
        return f"{self.first + 1} to {self.first + len(self.entries)} of {runs}"


def listed(entries: Sequence[Entry], notes: Mapping[str, str], selection: Selection) -> Listed:
    """Return the runs to list.

    Args:
        entries: all that were kept, in the order in which they came.
        notes: name of a run -> what somebody wrote about it.
        selection: what is asked for; a page after the last one is the last one.
    """
    words = selection.text.casefold().split()
    found = [entry for entry in entries if _has(entry, notes.get(entry.name, ""), words)]
    ordered = _ordered(found, selection.order)
    num_pages = max(-(-len(found) // PER_PAGE), 1)
    page = min(max(selection.page, 0), num_pages - 1)
    first = page * PER_PAGE
    return Listed(tuple(ordered[first : first + PER_PAGE]), first, len(found), page, num_pages)


def _has(entry: Entry, note: str, words: Sequence[str]) -> bool:
    if not words:
        return True
    parts = (entry.name, entry.model, entry.goal, entry.outcome, entry.date_text, note)
    text = "\n".join(parts).casefold()
    return all(word in text for word in words)


def _ordered(entries: list[Entry], order: str) -> list[Entry]:
    """Return entries in an order; those whose distance nobody knows come last."""
    by_date = sorted(entries, key=lambda entry: entry.date)
    if order in (NEWEST, OLDEST):
        return by_date[::-1] if order == NEWEST else by_date
    known = [entry for entry in by_date if entry.distance_text]
    unknown = [entry for entry in by_date if not entry.distance_text]
    known.sort(key=_nearness, reverse=order == FARTHEST)
    return known + unknown


def _nearness(entry: Entry) -> tuple[bool, str, float]:
    """Return what sorts by distance: metres first, which cannot be told from other units."""
    if entry.distance_m is not None:
        return False, "", entry.distance_m
    return True, entry.unit, entry.distance or 0.0
