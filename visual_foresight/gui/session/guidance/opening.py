"""What a page does with a link, beside what the link says."""

from visual_foresight.gui.session.guidance.links import Link
from visual_foresight.gui.session.session import Session


def open_link(session: Session, link: Link | None) -> None:
    """Open what a link asks for, if there is one, unless something is under way.

    Raises:
        UserError: a value of it is not known.
    """
    if link is None:
        return
    choices = link.choices(session.state.choices)
    if session.recordings is not None:
        session.choose(choices)
        if link.run or link.sets_scene:
            session.show_message(
                "This page shows recorded data: of the link, only the settings were taken over."
            )
    elif not session.state.is_editable:
        session.show_message("A run is under way: open the link again when it has ended.")
    elif link.run:
        session.open(link.run, choices)
    elif link.sets_scene:
        session.reset(choices, link.draft)
    else:
        session.choose(choices)
