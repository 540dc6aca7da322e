"""The legend: what the marks on the frames mean, and the words of the page."""

from pathlib import Path

from nicegui import ui

GLOSSARY = Path(__file__).parents[3] / "docs" / "glossary.md"
"""Every word of the project; it is there in the repository, not in an installed package."""
MARKS = {
    '<circle class="mark-outline" cx="50" cy="50" r="30"/>'
    '<circle class="sign" stroke="#00e5ff" cx="50" cy="50" r="30"/>': "what is to be moved",
    '<path class="mark-outline" d="M22 22 L78 78 M78 22 L22 78"/>'
    '<path class="sign" stroke="#ff40c8" d="M22 22 L78 78 M78 22 L22 78"/>': "where it is to go",
    '<rect class="sign" stroke="#ffe45c" x="22" y="22" width="56" height="56"/>': (
        "what is to keep still"
    ),
    '<rect fill="#e8501e" x="14" y="14" width="72" height="72" rx="36"/>'
    '<rect fill="#ffe45c" x="34" y="34" width="32" height="32" rx="16"/>': (
        "where the model expects it: the brighter, the surer"
    ),
}
"""Drawing, in a square of 100 units -> what it means."""
WORDS = {
    "model": "imagines the frames that actions would lead to",
    "plan": "the best actions that a search has found; nothing has moved yet",
    "rollouts": "how many sequences of actions a search imagines",
    "ahead": "steps from the frame that a plan was made from",
    "locator": "finds the moved pixel again in each new frame",
}


def build_legend() -> None:
    """Build the legend, folded up."""
    with ui.element("details").classes("legend"):
        ui.html("Legend", sanitize=False, tag="summary")
        with ui.element("ul"):
            for drawing, meaning in MARKS.items():
                svg = f'<svg viewBox="0 0 100 100" aria-hidden="true">{drawing}</svg>'
                ui.html(f"{svg} {meaning}", sanitize=False, tag="li")
            for word, meaning in WORDS.items():
                ui.html(f"<b>{word}</b> {meaning}", sanitize=False, tag="li")
        if GLOSSARY.exists():
            ui.button("All words", on_click=_show_glossary).props("flat dense")


def _show_glossary() -> None:
    with ui.dialog(value=True) as dialog, ui.card().classes("glossary"):
        ui.markdown(GLOSSARY.read_text(encoding="utf-8"))
        ui.button("Close", on_click=dialog.close).props("flat")
    dialog.on("hide", dialog.delete)
