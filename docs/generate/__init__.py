"""The generated pages of the documentation, as text; `scripts/make_docs` writes them.

They are committed, and a test checks that they are up to date.
"""

from pathlib import Path

from docs.generate import architecture, extend, reference, results

DOCS = Path(__file__).parents[1]


def generated() -> dict[str, str]:
    """Return the text of every generated file, by its path below `docs/`."""
    return {
        **reference.pages(),
        **extend.pages(),
        "reference/rooms.md": architecture.rooms_page(),
        "results/control.md": results.control_page(),
        "architecture.svg": architecture.picture(),
    }
