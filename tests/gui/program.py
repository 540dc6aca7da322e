"""The program as its user starts it, and the browser to look at it with.

Shared by the tests and the benchmark.
"""

import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

CHROMIUM = next(
    (
        path
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (path := shutil.which(name))
    ),
    None,
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 120_000
UNCHECKED = ssl.create_default_context()
"""Takes any certificate: those of tests are made up."""
UNCHECKED.check_hostname = False
UNCHECKED.verify_mode = ssl.CERT_NONE


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """`visual-foresight gui` as its user starts it, in a folder, by default the tests' own."""

    def __init__(self, out, *flags, start=("-m", "visual_foresight"), folder=None):
        self.out, self.port = out, free_port()
        command = [
            sys.executable,
            *start,
            "gui",
            "--no-browser",
            "--out",
            str(out),
        ]
        command += ["--port", str(self.port), *flags]
        env = {
            name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"
        }  # NiceGUI looks for it
        self.log = (out.parent / f"{out.name}.log").open("w+")
        self.process = subprocess.Popen(
            command, env=env, cwd=folder, stdout=self.log, stderr=self.log
        )
        scheme = "https" if "--tls-key" in flags else "http"
        self.address = f"{scheme}://127.0.0.1:{self.port}/"
        self._await()

    def _await(self):
        end = time.monotonic() + PATIENCE_MS / 1000
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(
                    self.address + "alive", timeout=5, context=UNCHECKED
                ).read()
                return
            except urllib.error.HTTPError:
                return  # it answers, if only to refuse
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        self.process.wait()
        raise AssertionError(f"no page at {self.address}: {self.said()}")

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        said = self.said()
        self.log.close()
        assert "Traceback" not in said, said
