"""A reverse proxy as lab machines have them: it shows a server below a path, at another address."""

import socket
import threading
from contextlib import suppress

PATH = "/robot"


class Proxy:
    """Passes connections on to a port of this machine, which is set later, under its own name.

    Args:
        cuts_off: whether the path's beginning, `PATH`, is cut off, or passed on as it came.
    """

    def __init__(self, cuts_off: bool) -> None:
        self.port = 0
        self._cuts_off = cuts_off
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}{PATH}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a browser

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    browser, _ = self._listener.accept()
                except OSError:
                    return
                threading.Thread(target=self._pass_on, args=(browser,), daemon=True).start()

    def _pass_on(self, browser: socket.socket) -> None:
        with browser, socket.create_connection(("127.0.0.1", self.port)) as server:
            head = b""
            while b"\r\n\r\n" not in head:
                more = browser.recv(2**16)
                if not more:
                    return
                head += more
            server.sendall(self._rewritten(head))
            upwards = threading.Thread(target=pump, args=(browser, server), daemon=True)
            upwards.start()
            pump(server, browser)
            with suppress(OSError):
                browser.shutdown(socket.SHUT_RDWR)
            upwards.join()

    def _rewritten(self, request: bytes) -> bytes:
        """Return the beginning of a request as it is sent on."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        if self._cuts_off:
            lines[0] = lines[0].replace(f" {PATH}".encode(), b" ", 1)
        is_websocket = b"upgrade: websocket" in head.lower()
        kept = [
            line
            for line in lines
            if not line.lower().startswith(b"host:")
            and (is_websocket or not line.lower().startswith(b"connection:"))
        ]
        kept.append(b"Host: 127.0.0.1:%d" % self.port)
        if not is_websocket:  # a request each, so that each is rewritten
            kept.append(b"Connection: close")
        return b"\r\n".join(kept) + b"\r\n\r\n" + body


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Send on what comes, until one side hangs up."""
    with suppress(OSError):
        while data := source.recv(2**16):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
