"""Sends generated nonsense to the page: `python -m benchmarks.malformed_requests [--number N]`.

Hosts, origins, paths, headers and websocket frames, each made of a seed that is reported with what
went wrong: an answer of 500 or above, or a traceback in the program's log.
"""

import argparse
import base64
import json
import os
import random
import socket
import sys
import tempfile
from pathlib import Path

from tests.gui.program import Program

TIMEOUT_S = 10
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


def request_of(seed: int, port: int) -> bytes:
    """Return the bytes of an odd request."""
    chance = random.Random(seed)
    path = chance.choice(PLACES) + (some_text(chance) if chance.random() < 0.5 else "")
    method = chance.choice(["GET", "GET", "HEAD", "POST", "OPTIONS", some_text(chance)[:9]])
    is_odd_host = chance.random() < 0.4
    lines = [f"{method} {path} HTTP/1.1"]
    lines.append(f"Host: {some_text(chance) if is_odd_host else f'127.0.0.1:{port}'}")
    for name in ("Origin", "Cookie", "Content-Length", "X-Forwarded-For", "Upgrade", "Accept"):
        if chance.random() < 0.2:
            lines.append(f"{name}: {some_text(chance)}")
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


def frame_of(chance: random.Random) -> tuple[int, bytes]:
    """Return kind and content of an odd websocket frame."""
    if chance.random() < 0.2:
        return chance.choice([1, 2, 9]), chance.randbytes(chance.randrange(60))
    if chance.random() < 0.3:
        return 1, some_text(chance).encode("utf-8")
    arguments = [some_value(chance) for _ in range(chance.choice([0, 1, 1, 1, 2]))]
    content = json.dumps([chance.choice(NAMES), *arguments])
    return 1, (chance.choice(["42", "421", "40", "45", "4", "2", "3", "6"]) + content).encode()


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
    """Send a request, and return the status of the answer; 0 if the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        try:
            connection.sendall(request)
            head = connection.recv(2**12).split(b" ", 2)
        except ConnectionError:
            return 0
    return int(head[1]) if len(head) > 1 and head[1].isdigit() else 0


def send_frames(port: int, seed: int, number: int) -> None:
    """Open a websocket, and send odd frames until the server hangs up."""
    chance = random.Random(seed)
    query = "EIO=4&transport=websocket"
    if chance.random() < 0.5:
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
            for _ in range(number):
                connection.sendall(encoded(*frame_of(chance)))
        except ConnectionError:
            return


def attack(program: Program, number: int, seed: int = 0) -> list[str]:
    """Send so many requests and as many frames; return what went wrong, with its seed."""
    complaints = []
    heard = len(program.said())
    for kind in ("request", "frames"):
        for turn in range(seed, seed + (number if kind == "request" else max(number // 10, 1))):
            status = 0
            if kind == "request":
                status = status_of(program.port, request_of(turn, program.port))
            else:
                send_frames(program.port, turn, 10)
            said = program.said()
            if status >= 500 or "Traceback" in said[heard:]:
                complaints.append(f"{kind} {turn}: {status} {said[heard:][-1500:]}")
            heard = len(said)
    return complaints


def main() -> None:
    """Start a program, send nonsense, and write what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000, help="requests, and frames")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        flags = ("--env", "dot", "--model", "still", "--preset", "fast")
        program = Program(Path(folder) / "out", *flags)
        complaints = attack(program, given.number, given.seed)
        program.process.terminate()
        program.process.wait()
    figures = {"sent": 2 * given.number, "wrong": len(complaints), "cores": os.cpu_count()}
    sys.stdout.write(json.dumps(figures) + "\n" + "\n".join(complaints[:20]) + "\n")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
