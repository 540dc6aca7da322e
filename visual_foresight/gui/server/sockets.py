"""What comes over the websockets of pages: looked at before the toolkit sees it.

A frame that no page of ours sends is dropped without a word, and a page speaks for itself alone.
Pages ask here whether the program still answers, too (`page/connection.js`).
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from nicegui import Client, core

from visual_foresight.gui.server.door import Role
from visual_foresight.gui.server.guard import ROLE
from visual_foresight.gui.server.values import is_for_a_listener

Handler = Callable[..., Any]
Shape = Mapping[str, type | tuple[type, ...]]
CLIENT = "client_id"
HANDSHAKE: Shape = {CLIENT: str, "tab_id": str, "document_id": str}
SHAPES: dict[str, Shape] = {
    "handshake": HANDSHAKE,
    "event": {CLIENT: str, "id": int, "listener_id": str, "args": list},
    "javascript_response": {CLIENT: str, "request_id": str},
    "ack": {CLIENT: str, "next_message_id": int},
}
"""Name of a message -> what it has, at least."""
SILENT = ("log",)
"""Messages that are of no use here: a browser's complaints would fill our log."""
LONGEST_NAME = 64
"""Letters of the identifiers of clients and documents, at most."""


def guard_sockets() -> None:
    """Put the checks before the toolkit's own handlers."""
    handlers = core.sio.handlers["/"]
    for name, shape in SHAPES.items():
        core.sio.on(name, _checked(handlers[name], shape, is_first=name == "handshake"))
    for name in SILENT:
        core.sio.on(name, _drop)
    core.sio.on("connect", _checked_connect(handlers["connect"]))
    core.sio.on("alive", _answer)


def role_of(client: Client) -> Role:
    """Return what a page may do: who may steer may choose to look on only (`?role=view`)."""
    request = client.request
    is_asked_for = request.query_params.get("role") == Role.VIEW.value
    return Role.VIEW if is_asked_for else request.scope[ROLE]


def _checked(handler: Handler, shape: Shape, is_first: bool) -> Handler:
    async def handle(sid: str, *messages: object) -> object:
        if len(messages) != 1 or not _has_shape(messages[0], shape):
            return False
        message = messages[0]
        assert isinstance(message, dict)
        client = message[CLIENT]
        if is_first:
            if not _may_have(sid, client):
                return False
        elif client not in core.sio.rooms(sid):  # a page speaks for itself alone
            return False
        if "args" in shape and not _is_for_a_listener(message):
            return False
        return await _result(handler(sid, message))

    return handle


def _checked_connect(handler: Handler) -> Handler:
    async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> object:
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        if query.get("implicit_handshake") == "true":
            number = query.get("next_message_id", "0")
            is_plain = number.isascii() and number.isdigit() and len(number) < LONGEST_NAME
            if not (
                is_plain and _has_shape(query, HANDSHAKE) and _may_have(sid, query[CLIENT])
            ):
                return False
        return await _result(handler(sid, environ, auth))

    return connect


def _may_have(sid: str, client: str) -> bool:
    """Tell whether a connection may be that of a page: who only looks on has none that steers."""
    page = Client.instances.get(client)
    if page is None:
        return True  # the toolkit has the browser load the page anew
    role = core.sio.get_environ(sid)["asgi.scope"].get(ROLE)
    return role is Role.STEER or role_of(page) is Role.VIEW


def _has_shape(message: object, shape: Shape) -> bool:
    if not isinstance(message, dict):
        return False
    for name, kind in shape.items():
        value = message.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            return False
        if isinstance(value, str) and len(value) > LONGEST_NAME:
            return False
    return "args" not in shape or all(_is_json(text) for text in message["args"])


def _is_json(text: object) -> bool:
    if text is None:
        return True
    try:
        json.loads(text if isinstance(text, str) else "")
    except (ValueError, RecursionError):
        return False
    return True


def _is_for_a_listener(message: Mapping[str, Any]) -> bool:
    values = [None if text is None else json.loads(text) for text in message["args"]]
    return is_for_a_listener(message, values)


async def _result(value: object) -> object:
    return await value if isinstance(value, Awaitable) else value


async def _drop(sid: str, *_: object) -> None:
    """Take a message, and do nothing."""


async def _answer(sid: str, *_: object) -> bool:
    """Say that the program answers."""
    return True
