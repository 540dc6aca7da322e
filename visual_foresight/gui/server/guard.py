"""Decides about every request before anything else sees it: who asks, from which page, how much.

A plain ASGI wrapper around the whole application, so that it holds for pages, media, uploads and
websockets alike.
"""

import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names of this machine, which need no token."""
PORTS = {"http": 80, "https": 443}
"""Scheme of an address -> its port where none is said."""
COOKIE = "visual_foresight_token"
MALFORMED = (
    400,
    "This request's Host or Origin is malformed: open the address that was printed.",
)
MAX_BODY_BYTES = 5 * 2**20
"""The largest request that is accepted: an upload and its form."""


@dataclass(frozen=True)
class Guard:
    """Lets a request through if it comes from our own page and carries the token, if one is set.

    The page's address carries the token once (`/?token=...`). From then on a cookie does, which
    scripts cannot read and other sites do not send. Without a token only loopback names are
    answered, so that no other site's name can be pointed at this server (DNS rebinding).

    Behind a reverse proxy, the page's outer address is another than the one that requests come to.
    """

    application: Application
    """What is guarded."""
    token: str | None = None
    """What a request has to carry; None for a page that only this machine reaches."""
    cookie: str = COOKIE
    """The cookie's name. Browsers do not tell ports apart, so each port needs a name of its own."""
    address: str = ""
    """The outer address, http://HOST or https://HOST/PATH, of a page behind a reverse proxy."""

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
        inner = self._placed(scope)
        if scope["type"] == "websocket":
            await self.application(inner, receive, send)
            return
        await self.application(inner, _limited(receive), self._with_cookie(scope, send))

    def _refusal(self, scope: Message, headers: dict[str, str]) -> tuple[int, str] | None:
        """Return status and sentence of a refusal; None if the request may pass."""
        host = headers.get("host", "")
        place = _split(f"//{host}")
        origin = _split(headers.get("origin", ""))
        if place is None or origin is None:
            return MALFORMED
        if self.token is None and place.hostname not in LOOPBACK:
            return (
                400,
                "This page answers to 127.0.0.1 and localhost only: open the address that was "
                "printed, or start the program with --host or --address.",
            )
        if "origin" in headers and not self._is_ours(origin, host):
            return 403, "This request comes from another site: open the page itself."
        length = headers.get("content-length", "0")
        if not _is_number_up_to(length, MAX_BODY_BYTES):
            return 413, f"More than {MAX_BODY_BYTES // 2**20} MiB are not accepted: send less."
        if self.token is None or self._is_in_address(scope) or self._is_in_cookie(headers):
            return None
        return (
            401,
            "A token is needed: open the address that was printed when the program started.",
        )

    def _is_ours(self, origin: SplitResult, host: str) -> bool:
        """Tell whether a page of this origin is ours: that of the host, or of the outer address."""
        place = _place(origin.geturl())
        ours = (_place(f"{origin.scheme}://{host}"), _place(self.address))
        return place is not None and place in ours

    def _placed(self, scope: Message) -> Message:
        """Return a request as of a page below the outer address's path.

        Some proxies cut that path off, others pass it on.
        """
        root = _root(self.address)
        if not root:
            return scope
        path = scope["path"]
        if path == root or not path.startswith(f"{root}/"):
            path = f"{root}/" if path == root else root + path
        forwarded = b"x-forwarded-prefix"  # is in the outer address
        headers = [pair for pair in scope["headers"] if pair[0].lower() != forwarded]
        return {**scope, "path": path, "root_path": root, "headers": headers}

    def _is_in_address(self, scope: Message) -> bool:
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])
        return self._matches(given[0])

    def _is_in_cookie(self, headers: dict[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self.cookie)
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
        path = _root(self.address) or "/"
        cookie = f"{self.cookie}={self.token}; Path={path}; HttpOnly; SameSite=Strict"

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"set-cookie", cookie.encode()),
                ]
            await send(message)

        return send_with_cookie


def _split(address: str) -> SplitResult | None:
    """Return the parts of an address; None of one that is malformed."""
    try:
        parts = urlsplit(address)
        _ = parts.hostname, parts.port  # looked at when they are asked for
    except ValueError:
        return None
    return parts


def _place(address: str) -> tuple[str, str, int] | None:
    """Return scheme, host and port of an address as browsers compare them; None if it has none.

    Small and capital letters are the same, and a port that goes without saying may be said.
    """
    parts = _split(address)
    if parts is None or parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]


def _root(address: str) -> str:
    """Return the path of an address, without the slash at its end."""
    return urlsplit(address).path.rstrip("/")


def _is_number_up_to(text: str, most: int) -> bool:
    """Tell whether a text is a count in plain digits, and no larger than allowed."""
    is_count = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    return is_count and int(text) <= most


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
