"""Decides about every request before anything else sees it: who asks, from which page, how much.

What it lets in knows its role (`ROLE` in the ASGI scope) and no token. A plain ASGI wrapper around
the whole application, so that it holds for pages, media, uploads and websockets alike.
"""

import math
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from visual_foresight.gui.server.door import Door, Role
from visual_foresight.gui.server.frames import only_plain
from visual_foresight.gui.server.messages import Application, Message, Receive, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""The names of this machine, which need no token."""
PORTS = {"http": 80, "https": 443}
"""Scheme of an address -> its port where none is said."""
ROLE = "visual_foresight.role"
"""Where a request's role is kept in its ASGI scope."""
ANSWER_HEADERS = (
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Headers of every answer: no other page frames this one, and none learns its address."""
MAX_BODY_BYTES = 5 * 2**20
"""The largest request that is accepted: an upload and its form."""


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let in."""

    status: int
    sentence: str
    retry_after_s: float = 0.0


MALFORMED = Refusal(
    400, "This request's Host or Origin is malformed: open the address that was printed."
)
ONLY_WEBSOCKETS = Refusal(
    405, "Pages speak by websocket only: have your proxy pass websockets on."
)
NO_TOKEN = Refusal(
    401,
    "A token is needed: open the address that was printed when the program started, "
    "in a browser that keeps its cookie.",
)


@dataclass(frozen=True)
class Admission:
    """What a request that is let in may do."""

    role: Role
    new_role: Role | None = None
    """What the token in the request's address allows, if it has the right one."""


@dataclass(frozen=True)
class Guard:
    """Lets a request through if it comes from our own page and carries a token, if one is set.

    The page's address carries the token once (`/?token=...`), and is answered with the same
    address without it. From then on a cookie stands for it, which scripts cannot read and other
    sites' pages do not send. Without a token only loopback names are answered, so that no other
    site's name can be pointed at this server (DNS rebinding).

    Behind a reverse proxy, the page's outer address is another than the one that requests come to.
    """

    application: Application
    """What is guarded."""
    door: Door | None = None
    """Knows what a request has to carry; None for a page that only this machine reaches."""
    address: str = ""
    """The outer address, http://HOST or https://HOST/PATH, of a page behind a reverse proxy."""
    is_tls: bool = False
    """Whether this server encrypts by itself."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer an ASGI request, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.application(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        }
        answer = self._refusal(headers) or self._admission(scope, headers)
        if isinstance(answer, Refusal):
            await _refuse(scope, receive, send, answer)
            return
        inner = {**self._placed(scope), ROLE: answer.role}
        if self.door is not None:
            given, rest = _token_and_rest(scope)
            inner["query_string"] = rest.encode()
            if given is not None and scope.get("method") in ("GET", "HEAD"):
                await self._redirect(scope, send, answer.new_role, rest)
                return
        if scope["type"] == "websocket":
            await self.application(inner, only_plain(receive), send)
            return
        if scope["path"].rstrip("/").endswith("/socket.io"):
            await _refuse(scope, receive, send, ONLY_WEBSOCKETS)
            return
        await self.application(inner, _limited(receive), send)

    def _refusal(self, headers: dict[str, str]) -> Refusal | None:
        """Return why no token helps; None if the request may pass."""
        host = headers.get("host", "")
        place = _split(f"//{host}")
        origin = _split(headers.get("origin", ""))
        if place is None or origin is None:
            return MALFORMED
        if self.door is None and place.hostname not in LOOPBACK:
            return Refusal(
                400,
                "This page answers to 127.0.0.1 and localhost only: open the address that was "
                "printed, or start the program with --host or --address.",
            )
        if "origin" in headers and not self._is_ours(origin, host):
            return Refusal(403, "This request comes from another site: open the page itself.")
        length = headers.get("content-length", "0")
        if not _is_number_up_to(length, MAX_BODY_BYTES):
            most = MAX_BODY_BYTES // 2**20
            return Refusal(413, f"More than {most} MiB are not accepted: send less.")
        return None

    def _admission(self, scope: Message, headers: dict[str, str]) -> Admission | Refusal:
        """Look at cookies and token; not at tokens from where too many were wrong, for a while."""
        if self.door is None:
            return Admission(Role.STEER)
        role = self.door.role_of_cookies(headers.get("cookie", ""))
        given, _ = _token_and_rest(scope)
        if given is not None:
            client = (scope.get("client") or ("",))[0]
            wait_s = self.door.guesses.wait_s(client)
            if not wait_s:
                new_role = self.door.role_of_token(given)
                if new_role is not None:
                    more = Role.STEER if Role.STEER in (role, new_role) else Role.VIEW
                    return Admission(more, new_role)
                self.door.guesses.note_wrong(client)
            elif role is None:
                return Refusal(
                    429,
                    f"Too many wrong tokens: wait {math.ceil(wait_s)} s, and open the address "
                    "that was printed.",
                    wait_s,
                )
        return NO_TOKEN if role is None else Admission(role)

    async def _redirect(
        self, scope: Message, send: Send, new_role: Role | None, rest: str
    ) -> None:
        """Send a browser to the same address without the token, which a cookie stands for then."""
        # Relative, since a proxy may show the page elsewhere.
        place = "./" + quote(scope["path"].rpartition("/")[2])
        if new_role is Role.VIEW:
            rest = urlencode([*parse_qsl(rest), ("role", new_role.value)])
        headers = [
            (b"location", (f"{place}?{rest}" if rest else place).encode()),
            (b"cache-control", b"no-store"),
        ]
        if new_role is not None and self.door is not None:
            # Lax, since a link that was sent to somebody is to open, too.
            cookie = f"{self.door.cookie(new_role)}; Path={_root(self.address) or '/'}; "
            cookie += "HttpOnly; SameSite=Lax"
            if self.is_tls or self.address.startswith("https:"):
                cookie += "; Secure"
            headers.append((b"set-cookie", cookie.encode()))
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

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


def _token_and_rest(scope: Message) -> tuple[str | None, str]:
    """Return the token of a request's address, if it has one, and the query without it."""
    query = scope.get("query_string", b"").decode("latin-1")
    if "token" not in query and "%" not in query:
        return None, query
    pairs = parse_qsl(query, keep_blank_values=True)
    tokens = [value for name, value in pairs if name == "token"]
    if not tokens:
        return None, query
    return tokens[0], urlencode([pair for pair in pairs if pair[0] != "token"])


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


async def _refuse(scope: Message, receive: Receive, send: Send, refusal: Refusal) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.sentence})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    if refusal.retry_after_s:
        headers.append((b"retry-after", str(math.ceil(refusal.retry_after_s)).encode()))
    status = refusal.status
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": (refusal.sentence + "\n").encode()})
