"""What is imagined over what was seen of the same step: wiped, blended, or their difference.

The server sends both frames once; the browser lays one over the other (`comparison.js` and the
style sheet), so that dragging asks nobody.
"""

from collections.abc import Callable
from pathlib import Path

from nicegui import ui

from visual_foresight.gui.page.frames.pictures import data_url
from visual_foresight.gui.session.state import Frame

COMPARISON_JS = Path(__file__).with_name("comparison.js").read_text(encoding="utf-8")
"""Goes into the page once."""
SIDE_BY_SIDE = "side"
WIPE = "wipe"
DIFFERENCE = "difference"
BLEND = "blend"
MODES = {
    SIDE_BY_SIDE: "Side by side",
    WIPE: "Wipe",
    DIFFERENCE: "Difference",
    BLEND: "Blend",
}
"""How both frames are compared -> its name in the menu."""


class Comparison:
    """Builds its parts in the panel of the prediction, and draws them.

    Args:
        redraw: draws the whole page now.
    """

    def __init__(self, redraw: Callable[[], None]) -> None:
        self._redraw = redraw
        self.mode = SIDE_BY_SIDE
        """What is chosen."""

    def build_choice(self) -> None:
        """Build the menu."""
        choice = ui.select(MODES, value=self.mode, on_change=lambda: self._redraw())
        choice.bind_value_to(self, "mode")
        choice.props('dense borderless options-dense aria-label="Compare"')

    def build_pictures(self) -> None:
        """Build what lies over the imagined frame, in its element."""
        self._real = ui.element("img").classes("real").props('alt="" draggable=false')
        ui.element("canvas").classes("difference").props("aria-hidden=true")

    def build_handle(self) -> None:
        """Build the handle of the wipe, and the names of its two sides, over the viewport.

        No value is set: the toolkit would set it again whenever it draws. The browser begins with
        the middle if it knows the ends before the type.
        """
        handle = ui.element("input").classes("wipe-handle").props("min=0 max=1000 type=range")
        handle.props('aria-label="Wipe: seen at the left, imagined at the right"')
        for name in ("seen", "imagined"):
            ui.label(name).classes(f"wipe-name {name}").props("aria-hidden=true")

    def build_controls(self) -> None:
        """Build what is set below the frames: how strongly to blend, and the difference's scale."""
        with ui.element("div").classes("compare-controls") as self._blend:
            ui.label("seen")
            blend = ui.element("input").classes("blend").props("min=0 max=1000 type=range")
            blend.props('aria-label="Blend: seen at the left, imagined at the right"')
            ui.label("imagined")
        with ui.element("div").classes("compare-controls") as self._difference:
            with ui.element("label").classes("is-absolute"):
                ui.element("input").props("type=checkbox")
                ui.label("absolute")
            gain = ui.element("input").classes("gain").props("min=0 max=4 type=range")
            gain.props('aria-label="Scale of the difference"')
            ui.element("output").classes("difference-text")

    def show(self, mode: str) -> None:
        """Show the controls of a mode."""
        self._blend.set_visibility(mode == BLEND)
        self._difference.set_visibility(mode == DIFFERENCE)

    def draw(self, mode: str, real: Frame | None) -> None:
        """Show what was seen, where it is needed."""
        if mode != SIDE_BY_SIDE and real is not None:
            self._real.props["src"] = data_url(real)
            self._real.update()
