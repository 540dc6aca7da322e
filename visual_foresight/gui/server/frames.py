"""What a page's websocket may carry: plain texts of Engine.IO and Socket.IO, nothing else.

Their libraries answer what they cannot read with a traceback in the log.
"""

import json
import re
from typing import Any

from visual_foresight.gui.server.messages import Message, Receive

HEARTBEAT = re.compile(r"[23](probe)?|[156]|41", re.ASCII)
"""Ping, pong, change of transport, goodbye."""
GREETING = re.compile(r"40(\{.*\})?", re.ASCII | re.DOTALL)
EVENT = re.compile(r"42[0-9]{0,9}(\[.*\])", re.DOTALL)
"""An event, perhaps with the number of the answer that is asked for."""
NAMES = ("handshake", "event", "javascript_response", "ack", "log", "alive")
"""Events that pages send. `connect` is none: its handler expects more than a page says."""
POLICY_VIOLATION = 1008


def only_plain(receive: Receive) -> Receive:
    """End a websocket at the first frame that no page of ours sends."""

    async def receive_plain() -> Message:
        message = await receive()
        if message["type"] == "websocket.receive" and not is_plain(message.get("text")):
            return {"type": "websocket.disconnect", "code": POLICY_VIOLATION}
        return message

    return receive_plain


def is_plain(text: str | None) -> bool:
    """Tell whether a frame is one that a page may send."""
    if text is None:
        return False
    if HEARTBEAT.fullmatch(text):
        return True
    greeting = GREETING.fullmatch(text)
    if greeting:
        return isinstance(_parsed(greeting[1] or "{}"), dict)
    event = EVENT.fullmatch(text)
    parts = _parsed(event[1]) if event else None
    return isinstance(parts, list) and bool(parts) and parts[0] in NAMES


def _parsed(text: str) -> Any:
    """Return what a JSON text says; None of one that cannot be read."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
