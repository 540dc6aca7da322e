"""Decides about every request before anything else sees it: who asks, from which page, how much.

A plain ASGI wrapper around the whole application, so that it holds for pages, media, uploads and
websockets alike.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names of this machine, which need no token."""
COOKIE = "visual_foresight_token"
MAX_BODY_BYTES = 5 * 2**20
"""The largest request that is accepted: an upload and its form."""


@dataclass(frozen=True)
class Guard:
    """Lets a request through if it comes from our own page and carries the token, if one is set.

    The page's address carries the token once (`/?token=...`). From then on a cookie does, which
    scripts cannot read and other sites do not send. Without a token only loopback names are
    answered, so that no other site's name can be pointed at this server (DNS rebinding).
    """

    application: Application
    """What is guarded."""
    token: str | None = None
    """What a request has to carry; None for a page that only this machine reaches."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer an ASGI request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            status, sentence = refusal
            await _refuse(scope, receive, send, status, sentence)
            return
        if scope["type"] == "websocket":
            await self.application(scope, receive, send)
            return
        await self.application(scope, _limited(receive), self._with_cookie(scope, send))

    def _refusal(self, scope: Message, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and sentence of a refusal; None if the request may pass."""
        host = headers.get("host", "")
        if self.token is None and urlsplit(f"//{host}").hostname not in LOOPBACK:
            return 400, "This page answers to 127.0.0.1 and localhost only."
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return 403, "This request comes from another site."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return 413, f"More than {MAX_BODY_BYTES // 2**20} MiB are not accepted."
        if self.token is None or self._is_in_address(scope) or self._is_in_cookie(headers):
            return None
        return (
            401,
            "A token is needed: open the address that was printed when the program started.",
        )

    def _is_in_address(self, scope: Message) -> bool:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])
        return self._matches(given[0])

    def _is_in_cookie(self, headers: dict[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._matches(cookie.value)

    def _matches(self, given: str) -> bool:
        return self.token is not None and hmac.compare_digest(
            given.encode(), self.token.encode()
        )

    def _with_cookie(self, scope: Message, send: Send) -> Send:
        """Set the cookie in the answer to a request whose address has the token."""
        if self.token is None or not self._is_in_address(scope):
            return send
        cookie = f"{COOKIE}={self.token}; Path=/; HttpOnly; SameSite=Strict"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"set-cookie", cookie.encode()),
                ]
            await send(message)

        return send_with_cookie


def _limited(receive: Receive) -> Receive:
    """Hang up when a body whose length was not declared becomes too long."""
    received = 0

    async def receive_counting() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return receive_counting


async def _refuse(
    scope: Message, receive: Receive, send: Send, status: int, sentence: str
) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": sentence})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": (sentence + "\n").encode()})
