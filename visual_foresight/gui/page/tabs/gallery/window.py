"""A window over the page, which is gone when it is closed."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui


@contextmanager
def window(title: str, is_wide: bool = False) -> Iterator[ui.dialog]:
    """Open a window; what is built in the block is its content.

    Args:
        title: what stands at its top, and names it to those who hear the page.
        is_wide: whether it takes most of the page.
    """
    with ui.dialog(value=True) as dialog:
        dialog.props("transition-duration=0").props["aria-label"] = title
        with ui.card().classes("window wide" if is_wide else "window"):
            ui.label(title).classes("window-title")
            yield dialog
    dialog.on("hide", dialog.delete)
