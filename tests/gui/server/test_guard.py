"""Who is let in: plain ASGI calls, without a server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from visual_foresight.gui.server.door import COOKIE, FREE_GUESSES, Door, Guesses, Role
from visual_foresight.gui.server.guard import MAX_BODY_BYTES, ROLE, Guard

TOKEN = "abcdefgh12345678"
VIEW_TOKEN = "view5678view5678"
HOME = {"host": "127.0.0.1:8080"}
DOOR = Door(TOKEN, VIEW_TOKEN)
SIGNED_IN = DOOR.cookie(Role.STEER)


def ask(
    guard, headers, query="", kind="http", chunks=(), path="/", method="GET", client="10.0.0.7"
):
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
        "client": (client, 12345),
        "query_string": query.encode(),
        "path": path,
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in headers.items()
        ],
    }
    if kind == "http":
        scope["method"] = method
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
        ({**HOME, "content-length": "\xb2"}, 413),
        ({**HOME, "content-length": "9" * 5000}, 413),
        ({"host": "[::1"}, 400),
        ({"host": "127.0.0.1:port"}, 400),
        ({"host": "localhost]:8080"}, 400),
        ({**HOME, "origin": "http://[::1"}, 400),
        ({**HOME, "origin": "http://localhost:99999"}, 400),
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
        answer = ask(Guard(application(record), Door(TOKEN)), headers, query, kind)
        assert record == []
        assert answer[0].get("status", 401) == 401


def test_the_address_carries_the_token_once_and_a_cookie_from_then_on():
    guard = Guard(application([]), DOOR)
    first = ask(guard, {"host": "robot:8080"}, f"token={TOKEN}&seed=3")
    headers = dict(first[0]["headers"])
    assert first[0]["status"] == 303 and headers[b"location"] == b"./?seed=3"
    cookie = headers[b"set-cookie"].decode()
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
    assert TOKEN not in cookie, "what a browser keeps opens no other browser's page"
    for kind in ("http", "websocket"):
        record: list[str] = []
        ask(
            Guard(application(record), DOOR),
            {"host": "robot:8080", "cookie": f'foreign={{"a b"}}; {cookie.split(";")[0]}'},
            kind=kind,
        )
        assert record[0] == kind


@pytest.mark.parametrize(
    ("path", "place"),
    [("/", b"./"), ("/alive", b"./alive"), ("//evil.example/", b"./"), ("/a/b:c", b"./b%3Ac")],
)
def test_the_address_without_the_token_is_the_same_place(path, place):
    answer = ask(Guard(application([]), DOOR), HOME, f"token={TOKEN}", path=path)
    assert dict(answer[0]["headers"])[b"location"] == place


@pytest.mark.parametrize("guard", [{"is_tls": True}, {"address": "https://lab.example/robot"}])
def test_an_encrypted_page_has_a_cookie_that_is_never_sent_in_the_clear(guard):
    answer = ask(Guard(application([]), DOOR, **guard), HOME, f"token={TOKEN}")
    assert dict(answer[0]["headers"])[b"set-cookie"].endswith(b"; Secure")


def scopes_and_guard(door=DOOR):
    scopes = []

    async def remember(scope, receive, send):
        scopes.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    return scopes, Guard(remember, door)


def test_no_token_passes_the_guard():
    """The toolkit writes addresses that it does not know into the log."""
    door = Door(TOKEN)
    signed_in = {**HOME, "cookie": door.cookie(Role.STEER)}
    scopes, guard = scopes_and_guard(door)
    for query in (f"a=1&token={TOKEN}", f"token=wrong&a=1&%74oken={TOKEN}"):
        ask(guard, signed_in, query, method="POST")
        assert scopes[-1]["query_string"] == b"a=1"
        assert ask(guard, signed_in, query)[0]["status"] == 303


def test_a_second_token_looks_on_only():
    scopes, guard = scopes_and_guard()
    first = ask(guard, HOME, f"token={VIEW_TOKEN}")
    headers = dict(first[0]["headers"])
    assert headers[b"location"] == b"./?role=view"
    viewing = headers[b"set-cookie"].decode().split(";")[0]
    for cookies, role in (
        (viewing, Role.VIEW),
        (SIGNED_IN, Role.STEER),
        (f"{viewing}; {SIGNED_IN}", Role.STEER),
    ):
        ask(guard, {**HOME, "cookie": cookies})
        assert scopes[-1][ROLE] is role
    ask(guard, {**HOME, "cookie": viewing}, f"token={TOKEN}", method="POST")
    assert scopes[-1][ROLE] is Role.STEER
    name, _, _ = SIGNED_IN.partition("=")
    forged = {**HOME, "cookie": f"{name}={viewing.partition('=')[2]}"}
    assert ask(guard, forged)[0]["status"] == 401


def test_guesses_become_slow_and_nobody_else_does(caplog):
    now = [0.0]
    door = Door(TOKEN)
    door.guesses = Guesses(lambda: now[0])
    _, guard = scopes_and_guard(door)
    waits = []
    for _ in range(FREE_GUESSES + 4):
        assert ask(guard, HOME, "token=wrong")[0]["status"] == 401
        waits.append(door.guesses.wait_s("10.0.0.7"))
        if waits[-1]:
            answer = ask(guard, HOME, f"token={TOKEN}")  # is not even looked at
            assert answer[0]["status"] == 429
            assert int(dict(answer[0]["headers"])[b"retry-after"]) == waits[-1]
        now[0] += waits[-1]
    assert waits == [0, 0, 1, 2, 4, 8, 16]
    ask(guard, HOME, "token=wrong")
    assert ask(guard, HOME, f"token={TOKEN}", client="10.0.0.8")[0]["status"] == 303
    cookie = {**HOME, "cookie": door.cookie(Role.STEER)}
    assert ask(guard, cookie)[0]["status"] == 200, "who is in stays in"
    now[0] += door.guesses.wait_s("10.0.0.7")
    assert ask(guard, HOME, f"token={TOKEN}")[0]["status"] == 303
    assert [record.getMessage() for record in caplog.records] == [
        "1 wrong token(s) from 10.0.0.7"
    ]
    assert "wrong" not in caplog.text.replace("wrong token(s)", "")


def test_guesses_are_remembered_by_network_and_not_without_end(monkeypatch):
    monkeypatch.setattr("visual_foresight.gui.server.door.MAX_ADDRESSES", 5)
    guesses = Guesses(lambda: 0.0)
    for number in range(FREE_GUESSES):
        guesses.note_wrong(f"2001:db8::{number}")
    assert guesses.wait_s("2001:db8::ffff") == 1 and not guesses.wait_s("2001:db8:1::")
    for number in range(7):
        guesses.note_wrong(f"10.0.0.{number}")
    assert not guesses.wait_s("2001:db8::ffff"), "the oldest are forgotten first"
    guesses.note_wrong("no address\nat all")


def test_two_pages_on_one_host_do_not_log_one_another_out():
    """Browsers send a cookie to every port of a host."""
    others = "lkjhgfdsa0987654"
    jar: dict[str, str] = {}
    pages = {
        token: Guard(application([]), Door(token, cookie=f"{COOKIE}_{port}"))
        for token, port in ((TOKEN, 8080), (others, 8081))
    }
    for token, guard in pages.items():
        first = ask(guard, {"host": "robot"}, f"token={token}")
        name, _, value = dict(first[0]["headers"])[b"set-cookie"].decode().partition("=")
        jar[name] = value.split(";")[0]
    cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
    for guard in pages.values():
        assert ask(guard, {"host": "robot", "cookie": cookies})[0]["status"] == 200


OUTER = "https://lab.example/robot"


@pytest.mark.parametrize("host", ["lab.example", "127.0.0.1:8080"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_behind_a_proxy_the_outer_address_counts(host, kind):
    """Some proxies pass the browser's Host on, others put their own target in its place."""
    cookie = {"host": host, "cookie": SIGNED_IN}
    for origin, is_ours in (
        ("https://lab.example", True),
        ("http://evil.example", False),
        ("https://lab.example.evil.example", False),
    ):
        record: list[str] = []
        guard = Guard(application(record), DOOR, address=OUTER)
        ask(guard, {**cookie, "origin": origin}, kind=kind)
        assert bool(record) is is_ours, origin


@pytest.mark.parametrize(
    ("address", "origin", "is_ours"),
    [
        ("https://Lab.Example/robot", "https://lab.example", True),
        ("https://lab.example:443", "https://lab.example", True),
        ("http://lab.example:80/", "http://lab.example", True),
        ("http://lab.example:0080", "http://lab.example", True),
        ("https://lab.example", "https://LAB.example:443", True),
        ("https://lab.example:80", "https://lab.example", False),
        ("http://lab.example:443", "https://lab.example", False),
        ("https://lab.example:8443", "https://lab.example", False),
        ("", "https://lab.example", False),
        ("https://lab.example", "null", False),
        ("https://lab.example", "https://someone@lab.example", False),
    ],
)
def test_an_outer_address_is_the_same_however_it_is_written(address, origin, is_ours):
    record: list[str] = []
    headers = {"host": "127.0.0.1:8080", "cookie": SIGNED_IN, "origin": origin}
    ask(Guard(application(record), DOOR, address=address), headers)
    assert bool(record) is is_ours


@pytest.mark.parametrize(
    ("host", "origin", "is_ours"),
    [
        ("Robot:80", "http://robot", True),
        ("robot", "https://robot", True),
        ("robot:80", "https://robot", False),
        ("", "null", False),
    ],
)
def test_the_host_is_the_same_however_it_is_written(host, origin, is_ours):
    record: list[str] = []
    headers = {"host": host, "cookie": SIGNED_IN, "origin": origin}
    ask(Guard(application(record), DOOR), headers)
    assert bool(record) is is_ours


@pytest.mark.parametrize("cut_off", [True, False], ids=["proxy cuts off", "proxy passes on"])
def test_a_page_may_be_below_a_path(cut_off):
    scopes, guard = scopes_and_guard()
    guard = Guard(guard.application, DOOR, address=OUTER)
    headers = {"host": "lab.example", "x-forwarded-prefix": "/robot", "cookie": SIGNED_IN}
    for path in ("/", "/alive", "/_nicegui/x"):
        outer = path if cut_off else f"/robot{path}"
        ask(guard, headers, path=outer)
        assert scopes[-1]["path"] == f"/robot{path}" and scopes[-1]["root_path"] == "/robot"
        assert b"x-forwarded-prefix" not in dict(scopes[-1]["headers"])
    ask(guard, headers, path="/robot")
    assert scopes[-1]["path"] == "/robot/"
    answer = ask(guard, headers, f"token={TOKEN}", path="/robot")
    assert b"Path=/robot;" in dict(answer[0]["headers"])[b"set-cookie"]
    assert dict(answer[0]["headers"])[b"location"] == b"./robot"


def test_pages_speak_by_websocket_only():
    record: list[str] = []
    path = "/_nicegui_ws/socket.io/"
    for method in ("POST", "GET", "HEAD", "OPTIONS"):
        answer = ask(Guard(application(record)), HOME, path=path, method=method)
        assert record == [] and answer[0]["status"] == 405
