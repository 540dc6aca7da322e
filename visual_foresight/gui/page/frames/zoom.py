"""Zooming both frames together: the buttons. The browser does it alone (`zoom.js`)."""

from pathlib import Path

from nicegui import ui

ZOOM_JS = Path(__file__).with_name("zoom.js").read_text(encoding="utf-8")
"""Goes into the page once."""


def build_zoom() -> None:
    """Build the buttons that zoom, and between them what shows the zoom and resets it."""
    with ui.element("div").classes("zoom").props('role=group aria-label="Zoom of both frames"'):
        for name, icon in (("out", "remove"), ("reset", ""), ("in", "add")):
            button = ui.element("button").classes(f"zoom-{name}").props("type=button")
            if icon:
                button.props(f'aria-label="Zoom {name}"')
                with button:
                    ui.icon(icon)
            else:
                button.props('aria-label="Reset the zoom"')
