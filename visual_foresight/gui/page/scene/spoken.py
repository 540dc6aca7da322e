"""What is said of a place in the frame, to those who see it and to those who hear it."""

from collections.abc import Callable

from visual_foresight.gui.session.goals import Draft, Handle
from visual_foresight.types import Pixel

NO_GOAL = Draft()


def spoken_place(
    cursor: Pixel | None, describe: Callable[[Pixel], str], draft: Draft = NO_GOAL
) -> str:
    """Return what is said of a place: where it is, what is there if known, and which marks.

    Rows and columns are counted as everywhere on the page, from 0; pixels from 1.

    Args:
        cursor: the pixel; None says nothing.
        describe: returns what a pixel shows, "" if nobody knows.
        draft: the goal whose marks lie over the frame.
    """
    if cursor is None:
        return ""
    place = f"row {cursor.row:g}, column {cursor.col:g}"
    there = [text for text in (describe(cursor), *_marks_at(draft, cursor)) if text]
    return f"{place}: {', '.join(there)}" if there else place


def spoken_hold(place: str, handle: Handle | None) -> str:
    """Return what is said of a place while the keyboard holds a marker there, or none."""
    if handle is None:
        return place
    return f"holding the {_name(handle.index, handle.end, handle.both)}, {place}"


def _marks_at(draft: Draft, pixel: Pixel) -> list[str]:
    """Return the names of the marks on a pixel."""
    names = []
    for number, pair in enumerate(draft.pairs):
        if _is_on(pixel, pair.source):
            names.append(_name(number, "source", pair.keeps_still))
        if pair.target is not None and not pair.keeps_still and _is_on(pixel, pair.target):
            names.append(_name(number, "target", is_kept=False))
    return names


def _is_on(pixel: Pixel, place: Pixel) -> bool:
    return (round(place.row), round(place.col)) == (pixel.row, pixel.col)


def _name(number: int, end: str, is_kept: bool) -> str:
    if is_kept:
        return f"pixel {number + 1}, to keep still"
    return (
        f"designated pixel {number + 1}" if end == "source" else f"goal of pixel {number + 1}"
    )
