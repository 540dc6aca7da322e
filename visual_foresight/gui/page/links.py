"""Opening the page by a link, and copying one."""

import json
from collections.abc import Mapping

from nicegui import ui

from visual_foresight.gui.session.guidance import opening
from visual_foresight.gui.session.guidance.links import NAMES, parse_link, query_of, sentence_of
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import installed_models
from visual_foresight.gui.session.state import Status
from visual_foresight.types import UserError

ASK_EVERY_S = 0.1
"""How often it is asked whether the scene is set, for which a link waits."""
FORGET = """
const address = new URL(location);
for (const name of NAMES) address.searchParams.delete(name);
history.replaceState(null, "", address);
"""
"""Takes what was opened out of the address, so that a reload stays where the session is."""
COPY = """
const address = location.origin + location.pathname + "?" + QUERY;
const show = () => prompt("The link", address);
if (navigator.clipboard) navigator.clipboard.writeText(address).catch(show); else show();
"""
"""Where the browser has no clipboard (only https and this machine have), the link is shown."""


def open_link(session: Session, query: Mapping[str, str]) -> None:
    """Open what the page's address asks for, once the browser has shown the page.

    Args:
        session: the one that all pages show.
        query: the part of the address after "?".
    """
    if not any(query.get(name) for name in NAMES):
        return

    def open_now() -> None:
        if session.state.status is Status.STARTING:
            return  # asked again
        timer.deactivate()
        ui.run_javascript(FORGET.replace("NAMES", json.dumps(NAMES)))
        try:
            opening.open_link(session, parse_link(query, tuple(installed_models())))
        except UserError as error:
            session.show_message(str(error), is_error=True)

    timer = ui.timer(ASK_EVERY_S, open_now)


def copy_link(session: Session) -> None:
    """Copy a link to what is shown, and say what it opens."""
    state = session.state
    ui.run_javascript(COPY.replace("QUERY", json.dumps(query_of(state))))
    session.show_message(sentence_of(state))
