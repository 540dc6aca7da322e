"""Sends generated nonsense to the page: `python -m benchmarks.malformed_requests [--number N]`.

Hosts, origins, paths, headers and websocket frames, also frames in the name of a page that was
opened, to its own buttons and fields. Each is made of a seed, which is reported with what went
wrong: an answer of 500 or above, or a traceback in the program's log.
"""

import argparse
import base64
import html
import json
import os
import random
import re
import socket
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gui.program import Program

TIMEOUT_S = 10
FRAMES_EACH = 10
"""Frames of one websocket."""
QUIET_S = 1.0
"""How long the log is watched after the last frame."""
LONG = 10**5
ODD = [
    "[::1",
    "http://[",
    "http://[::1",
    "%",
    "%zz",
    "%00",
    "\x00",
    "//",
    "/../..",
    "\\",
    "?token=%ff",
    "localhost:99999",
    "127.0.0.1:",
    "null",
    "\xff\xfe",
    "a" * LONG,
    "%2e" * 99,
    "{}",
    "[]",
    "-1",
    "1e999",
    "[" * 2000,
    "",
]
PLACES = [
    "/",
    "/alive",
    "/goal-image",
    "/_nicegui/x",
    "/_nicegui_ws/socket.io/?EIO=4&transport=",
]
REQUESTS = ("Host", "Origin", "path", "headers", "method")
"""What is odd about requests."""
FRAMES = ("frames", "frames of a page")
"""What is odd about websockets: without a page, and in the name of one."""
HEADERS = ["Cookie", "Content-Length", "X-Forwarded-For", "X-Forwarded-Prefix", "Upgrade"]
HEADERS += ["Accept", "Transfer-Encoding", "Sec-WebSocket-Key", "Range", "Content-Type"]
ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)
"""Where a page says what it is made of."""
CLIENT = re.compile(r"'client_id': '([\w-]+)'")
NAMES = ["event", "ack", "log", "handshake", "javascript_response", "alive", "connect", "foo"]
FIELDS = ["client_id", "id", "listener_id", "args", "tab_id", "next_message_id", "level"]


def some_text(chance: random.Random) -> str:
    """Return an odd text, or one of random letters."""
    if chance.random() < 0.6:
        return chance.choice(ODD)
    return "".join(chr(chance.randrange(256)) for _ in range(chance.randrange(20)))


def some_value(chance: random.Random, depth: int = 0) -> object:
    """Return a plain JSON value."""
    kinds = ["text", "number", "none", "list", "object"][: 3 if depth > 2 else 5]
    kind = chance.choice(kinds)
    if kind == "text":
        return some_text(chance)[:200]
    if kind == "number":
        return chance.choice([0, -1, 1.5, 10**30, True])
    if kind == "none":
        return None
    if kind == "list":
        return [some_value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return {name: some_value(chance, depth + 1) for name in chance.sample(FIELDS, 3)}


def request_of(seed: int, port: int, kind: str) -> bytes:
    """Return the bytes of a request of which one thing is odd, and others may be.

    Args:
        seed: decides everything.
        port: of the program.
        kind: what is odd: one of `REQUESTS`.
    """
    chance = random.Random(seed)
    is_odd = {name: name == kind or chance.random() < 0.2 for name in REQUESTS}
    path = chance.choice(PLACES) + (some_text(chance) if is_odd["path"] else "")
    method = chance.choice(["GET", "GET", "HEAD", "POST", "OPTIONS"])
    if is_odd["method"]:
        method = some_text(chance)[:9]
    host = some_text(chance) if is_odd["Host"] else f"127.0.0.1:{port}"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if is_odd["Origin"]:
        lines.append(f"Origin: {some_text(chance)}")
    if is_odd["headers"]:
        for name in chance.sample(HEADERS, 2):
            lines.append(f"{name}: {some_text(chance)}")
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


@dataclass(frozen=True)
class OpenPage:
    """A page as the program sent it: who it is, and what on it listens."""

    client: str
    listeners: tuple[tuple[int, str], ...]
    """Number of an element, and identifier of what listens there."""

    @classmethod
    def of(cls, port: int) -> "OpenPage":
        """Open a page."""
        address = f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(address, timeout=60) as answer:
            text = answer.read().decode()
        elements = ELEMENTS.search(text)
        client = CLIENT.search(text)
        assert elements and client, "a page says who it is and what it is made of"
        listeners = [
            (int(number), event["listener_id"])
            for number, element in json.loads(html.unescape(elements[1])).items()
            for event in element.get("events", ())
        ]
        return cls(client[1], tuple(listeners))


def frame_of(chance: random.Random) -> tuple[int, bytes]:
    """Return kind and content of an odd websocket frame."""
    if chance.random() < 0.2:
        return chance.choice([1, 2, 9]), chance.randbytes(chance.randrange(60))
    if chance.random() < 0.3:
        return 1, some_text(chance).encode("utf-8")
    arguments = [some_value(chance) for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    content = json.dumps([chance.choice(NAMES), *arguments])
    return 1, (chance.choice(["42", "421", "40", "45", "4", "2", "3", "6"]) + content).encode()


def frame_of_page(chance: random.Random, page: OpenPage) -> tuple[int, bytes]:
    """Return a frame in the name of a page: the right form, with odd content."""
    name = chance.choice(["event", "event", "event", "ack", "javascript_response"])
    message: dict[str, Any] = {"client_id": page.client}
    if name == "event":
        number, listener = chance.choice(page.listeners)
        values = [some_value(chance) for _ in range(chance.choice([0, 1, 1, 2]))]
        message |= {"id": number, "listener_id": listener}
        message["args"] = [json.dumps(value) for value in values]
    elif name == "ack":
        message["next_message_id"] = chance.choice([0, -1, 10**9, 10**30])
    else:
        message |= {"request_id": some_text(chance)[:60], "result": some_value(chance)}
    if chance.random() < 0.2:
        message[chance.choice(FIELDS)] = some_value(chance)
    return 1, ("42" + json.dumps([name, message])).encode()


def encoded(kind: int, content: bytes) -> bytes:
    """Return a whole masked frame (RFC 6455)."""
    length = len(content)
    if length < 126:
        head = bytes([0x80 | kind, 0x80 | length])
    elif length < 2**16:
        head = bytes([0x80 | kind, 0x80 | 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([0x80 | kind, 0x80 | 127]) + length.to_bytes(8, "big")
    return head + bytes(4) + content  # a mask of zeros


def status_of(port: int, request: bytes) -> int:
    """Send a request, and return the status of the answer; 0 if the server hangs up or waits."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        try:
            connection.sendall(request)
            head = connection.recv(2**12).split(b" ", 2)
        except (ConnectionError, TimeoutError):  # it may wait for a body that was declared
            return 0
    return int(head[1]) if len(head) > 1 and head[1].isdigit() else 0


def send_frames(port: int, seed: int, page: OpenPage | None = None) -> None:
    """Open a websocket, send odd frames until the server hangs up, and say goodbye.

    Args:
        port: of the program.
        seed: decides everything but who the page is.
        page: in whose name they are sent; None: in nobody's.
    """
    chance = random.Random(seed)
    query = "EIO=4&transport=websocket"
    if page is not None:
        query += f"&implicit_handshake=true&client_id={page.client}&next_message_id=0"
        query += "&tab_id=t&document_id=d"
    elif chance.random() < 0.5:
        query += "&implicit_handshake=true&client_id=x&tab_id=y&document_id=z&next_message_id="
        query += chance.choice(["0", "x", "-1", ""])
    key = base64.b64encode(chance.randbytes(16)).decode()
    head = (
        f"GET /_nicegui_ws/socket.io/?{query} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        try:
            connection.sendall(head.encode())
            connection.recv(2**12)
            connection.sendall(encoded(1, b"40"))
            for _ in range(FRAMES_EACH):
                frame = frame_of(chance) if page is None else frame_of_page(chance, page)
                connection.sendall(encoded(*frame))
            connection.sendall(encoded(8, b""))
            while connection.recv(2**16):  # until all of it was read there
                pass
        except (ConnectionError, TimeoutError):
            return


@dataclass
class Findings:
    """What came of it, kind by kind."""

    sent: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    """Answers from 400 to 499, which are right."""
    complaints: dict[str, list[str]] = field(default_factory=dict)
    """Kind -> what went wrong, with its seed."""

    @property
    def all_complaints(self) -> list[str]:
        """Return what went wrong, whatever its kind."""
        return [each for found in self.complaints.values() for each in found]

    def table(self) -> str:
        """Return a line for each kind."""
        lines = [f"{'odd':<18} {'sent':>7} {'refused':>8} {'wrong':>6}"]
        for kind, number in self.sent.items():
            wrong = len(self.complaints.get(kind, ()))
            lines.append(f"{kind:<18} {number:>7} {self.refused[kind]:>8} {wrong:>6}")
        return "\n".join(lines)


def attack(program: Program, number: int, seed: int = 0) -> Findings:
    """Send so many requests and as many frames, and return what came of it."""
    found = Findings()
    heard = len(program.said())

    def listen(kind: str, turn: int, status: int) -> None:
        nonlocal heard
        said = program.said()
        if status >= 500 or "Traceback" in said[heard:]:
            complaint = f"{kind}, seed {turn}: {status} {said[heard:][-1500:]}"
            found.complaints.setdefault(kind, []).append(complaint)
        heard = len(said)

    for turn in range(seed, seed + number):
        kind = REQUESTS[turn % len(REQUESTS)]
        status = status_of(program.port, request_of(turn, program.port, kind))
        found.sent[kind] += 1
        found.refused[kind] += 400 <= status < 500
        listen(kind, turn, status)
    for turn in range(seed, seed + max(number // FRAMES_EACH, len(FRAMES))):
        kind = FRAMES[turn % len(FRAMES)]
        page = OpenPage.of(program.port) if kind == FRAMES[1] else None
        send_frames(program.port, turn, page)
        found.sent[kind] += FRAMES_EACH
        listen(kind, turn, 0)
    time.sleep(QUIET_S)
    listen(kind, turn, 0)
    return found


def main() -> None:
    """Start a program, send nonsense, and write what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000, help="requests, and frames")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args()
    start_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        flags = ("--env", "dot", "--model", "still", "--preset", "fast")
        program = Program(Path(folder) / "out", *flags)
        found = attack(program, given.number, given.seed)
        is_alive = program.process.poll() is None
        program.process.terminate()
        program.process.wait()
    complaints = found.all_complaints
    figures = {
        "sent": sum(found.sent.values()),
        "wrong": len(complaints),
        "bar": 0,
        "is_alive": is_alive,
        "by_kind": dict(found.sent),
        "wrong_by_kind": {kind: len(each) for kind, each in found.complaints.items()},
        "seconds": round(time.monotonic() - start_s),
        "seed": given.seed,
        "cores": os.cpu_count(),
    }
    text = json.dumps(figures) if given.json else f"{found.table()}\n{len(complaints)} wrong"
    sys.stdout.write(text + "\n")
    sys.stderr.write("\n".join(complaints[:20]) + "\n" * bool(complaints))
    sys.exit(1 if complaints or not is_alive else 0)


if __name__ == "__main__":
    main()
