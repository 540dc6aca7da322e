"""Who is let in: plain ASGI calls, without a server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from visual_foresight.gui.server.guard import COOKIE, MAX_BODY_BYTES, Guard

TOKEN = "abcdefgh12345678"
HOME = {"host": "127.0.0.1:8080"}


def ask(guard, headers, query="", kind="http", chunks=()):
    """Send one request through the guard; return what was answered."""
    sent = []
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    last = {"type": "websocket.connect" if kind == "websocket" else "http.request"}

    async def receive():
        return waiting.pop(0) if waiting else last

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    with ThreadPoolExecutor(1) as thread:  # a browser's loop may run in this one
        thread.submit(lambda: asyncio.run(guard(scope, receive, send))).result()
    return sent


def application(record):
    async def answer(scope, receive, send):
        record.append(scope["type"])
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        record.append(messages[-1]["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

    return answer


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 400),
        ({}, 400),
        ({**HOME, "origin": "http://evil.example"}, 403),
        ({**HOME, "origin": "null"}, 403),
        ({**HOME, "content-length": str(MAX_BODY_BYTES + 1)}, 413),
        ({**HOME, "content-length": "-1"}, 413),
    ],
)
def test_strangers_are_refused(kind, headers, status):
    record: list[str] = []
    answer = ask(Guard(application(record)), headers, kind=kind)
    assert record == [], "the application never hears of it"
    if kind == "http":
        assert answer[0]["status"] == status
    else:
        assert answer[0]["type"] == "websocket.close"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_our_own_page_is_let_in(host):
    record: list[str] = []
    answer = ask(Guard(application(record)), {"host": host, "origin": f"http://{host}"})
    assert answer[0]["status"] == 200 and record[0] == "http"


def test_a_body_of_unknown_length_is_cut_off():
    record: list[str] = []
    ask(Guard(application(record)), HOME, chunks=[bytes(MAX_BODY_BYTES), b"x"])
    assert record == ["http", "http.disconnect"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_with_a_token_nothing_goes_without_it(kind):
    for headers, query in (
        ({"host": "robot:8080"}, ""),
        ({"host": "robot:8080"}, "token=wrong"),
        ({"host": "robot:8080", "cookie": f"{COOKIE}=wrong"}, ""),
        ({"host": "robot:8080", "cookie": "\x01"}, ""),
    ):
        record: list[str] = []
        answer = ask(Guard(application(record), TOKEN), headers, query, kind)
        assert record == []
        assert answer[0].get("status", 401) == 401


def test_the_address_carries_the_token_once_and_a_cookie_from_then_on():
    guard = Guard(application([]), TOKEN)
    first = ask(guard, {"host": "robot:8080"}, f"token={TOKEN}")
    cookie = dict(first[0]["headers"])[b"set-cookie"].decode()
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    for kind in ("http", "websocket"):
        record: list[str] = []
        ask(
            Guard(application(record), TOKEN),
            {"host": "robot:8080", "cookie": cookie.split(";")[0]},
            kind=kind,
        )
        assert record[0] == kind
