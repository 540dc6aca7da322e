"""The window from which a run is exported: a link for each kind of file."""

from pathlib import Path
from urllib.parse import quote

from nicegui import events, ui

from visual_foresight.gui.page.tabs.gallery.window import window
from visual_foresight.gui.session.gallery.gallery import EXPORTS

DOWNLOAD_JS = Path(__file__).with_name("download.js").read_text(encoding="utf-8")
LONGEST_SENTENCE = 300
"""Letters that a browser hands on, at most."""


def show_exports(name: str, address: str) -> None:
    """Offer the exports of a run.

    Args:
        name: of the run.
        address: the path before that of the page's own files.
    """
    with window(f"Export {name}") as dialog:
        said = ui.label().classes("soft export-said").props("role=status")

        def say(event: events.GenericEventArguments) -> None:
            said.set_text(str(event.args)[:LONGEST_SENTENCE])

        with ui.element("div").classes("exports"):
            for suffix, what in EXPORTS.items():
                link = (
                    ui.element("a").classes("export").on("click", say, js_handler=DOWNLOAD_JS)
                )
                link.props["href"] = f"{address}/runs/{quote(name)}{suffix}"
                link.props["download"] = f"{name}{suffix}"
                with link:
                    ui.label(what)
        with ui.element("div").classes("buttons"):
            ui.element("div").classes("grow")
            ui.button("Close", on_click=dialog.close).props("flat")
