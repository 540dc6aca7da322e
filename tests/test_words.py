"""One word per thing, and the field's own (see `docs/glossary.md`): past words are gone."""

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = sorted((ROOT / "visual_foresight").rglob("*.py"))
PAST = {
    "": "rehears(e|ed|er|al)|recall|lessons?|Still|Held|came|goes|forth|Elsewhere|[Ff]ollowed"
    "|Overlook|Silhouettes?|Scissors|think|enter|judging|tally|tallies|Tally|Tallies",
    "predictors": "held|aim|back|look|table|sight",
    "gui": "below|rail|moment|operator|Below|Rail|Moment|Belief|Operator",
    "gui/page": "belief",
    "episodes": "table",
    "planning": "table",
    "vision": "table",
}
"""Folder of the package ("" for all of it) -> identifiers that the field has another word for."""


def identifiers(path):
    """Yield (line, identifier) of a file: no words of strings or comments."""
    text = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


@pytest.mark.parametrize("folder", PAST)
def test_words_of_the_past_name_nothing(folder):
    past = re.compile(f"_?({PAST[folder]})")
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in PACKAGE
        if not folder or path.is_relative_to(ROOT / "visual_foresight" / folder)
        for line, name in identifiers(path)
        if past.fullmatch(name)
    ]
    assert not found, "\n".join(found)


def test_files_are_called_by_the_fields_words():
    past = re.compile(
        "rehearsal|still|followed|elsewhere|eye|sight|silhouettes|collages|held|tallies|judging"
        "|rail|belief|below|look|moment|operator"
    )
    assert not [path for path in PACKAGE if past.fullmatch(path.stem)]
