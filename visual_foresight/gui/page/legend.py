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
    '<circle fill="#00e5ff" fill-opacity="0.35" cx="50" cy="50" r="42"/>'
    '<circle fill="#00e5ff" cx="50" cy="50" r="20"/>': (
        "<b>maps</b> where the model expects it, in the colour of its ring"
    ),
    '<path class="sign" stroke="#00e5ff" d="M14 14 h54 v36 h-54 z"/>': (
        "<b>regions</b> the fewest cells that hold 50 % (thick) and 90 % of a map"
    ),
    '<path class="sign" stroke="#00e5ff" d="M12 80 Q40 70 56 44"/>'
    '<circle fill="#00e5ff" cx="66" cy="30" r="13"/>': (
        "<b>paths</b> how it is expected to move; the dot is now"
    ),
    '<path class="sign" stroke="#ffe45c" stroke-dasharray="6 14" d="M8 84 L52 40"/>'
    '<path class="sign" stroke="#ffe45c" d="M52 40 L84 10 M62 12 H84 V34"/>': (
        "<b>paths</b> the arm's planned way, and its next action"
    ),
    '<path stroke="#ffe45c" stroke-width="4" fill="none" d="M8 84 Q40 60 84 70 M8 84 L70 16"/>'
    '<circle fill="#ffe45c" fill-opacity="0.35" cx="58" cy="44" r="26"/>': (
        "<b>plans</b> the arm's way in the next best plans, and how far apart the elites are"
    ),
    '<path class="sign" stroke="#e6ffe9" d="M10 66 H84 M62 44 L84 66 L62 88"/>': (
        "<b>flow</b> where what moves is expected to go"
    ),
    '<path class="sign" stroke="#d0b3ff" d="M18 34 H50 V16 H82 V84 H18 Z"/>': (
        "<b>things</b> what the model takes for things, also behind the arm"
    ),
}
"""Drawing, in a square of 100 units -> what it means."""
WORDS = {
    "model": "imagines the frames that actions would lead to",
    "plan": "the best actions that a search has found; nothing has moved yet",
    "rollouts": "how many sequences of actions a search imagines",
    "elites": "the best candidates of the search: the nearer they are together, the surer it is",
    "doubt": "how unsure the model is, in pixels; red if it does not know, grey if nobody can tell",
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
