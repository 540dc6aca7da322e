"""The program, with a door of its own: /count says how many pages and clients are alive.

A page whose browser has left is dropped after half a second, not after ten.
"""

import gc
import sys

from nicegui import Client, app, core

from visual_foresight.cli import main
from visual_foresight.gui.page.page import Page


@app.get("/count")
def count() -> dict[str, int]:
    gc.collect()
    pages = [thing for thing in gc.get_objects() if type(thing) is Page]
    return {"pages": len(pages), "clients": len(Client.instances)}


@app.on_startup
def drop_pages_soon() -> None:
    core.app.config.reconnect_timeout = 0.5


main(sys.argv[1:])
