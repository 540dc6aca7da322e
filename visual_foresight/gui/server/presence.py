"""Who is at the pages that steer: a run stops when nobody has been for a while."""

import asyncio
import logging

from nicegui import Client

from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import Status

logger = logging.getLogger(__name__)


class Presence:
    """Counts the connected pages that steer.

    Args:
        session: what is stopped.
        patience_s: seconds without a page after which a run is stopped; 0 for never.
    """

    def __init__(self, session: Session, patience_s: float) -> None:
        self._session = session
        self._patience_s = patience_s
        self._present: set[str] = set()
        self._alarm: asyncio.TimerHandle | None = None

    def watch(self, client: Client) -> None:
        """Count a page that steers, while its browser is connected."""
        client.on_connect(lambda: self._enter(client.id))
        client.on_disconnect(lambda: self._leave(client))

    def _enter(self, name: str) -> None:
        self._present.add(name)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _leave(self, client: Client) -> None:
        if client.has_socket_connection:  # by a newer connection than the one that ended
            return
        self._present.discard(client.id)
        if not self._present and self._patience_s and self._alarm is None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(self._patience_s, self._stop)

    def _stop(self) -> None:
        self._alarm = None
        if self._session.state.status is not Status.RUNNING:
            return
        self._session.stop()
        sentence = f"nobody was at the page for {self._patience_s:g} s, so the run was stopped"
        self._session.show_message(sentence)
        logger.warning("%s", sentence)
