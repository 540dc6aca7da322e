"""The web server of the page: its configuration, and everything from the port to the browser."""

import logging
import re
import secrets
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visual_foresight.control.methods import weights_of
from visual_foresight.envs.registry import require
from visual_foresight.gui.page.scene.uploads import MAX_BYTES
from visual_foresight.gui.server.guard import COOKIE, LOOPBACK, Guard
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.devices import find_device
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
MIN_TOKEN_LENGTH = 8
MAX_PORT = 65535
ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.~-]+)*/?", re.ASCII)


@dataclass(frozen=True)
class GuiConfig:
    """What to begin with, and who may see the page."""

    env: str = "push"
    """Which world."""
    model: str = FLAGSHIP
    """Name of a predictor, or folder of a checkpoint."""
    seed: int = 0
    """Decides the first scene."""
    preset: str = "default"
    """How to search: fast (97 rollouts), default (312), thorough (600), or plain (312, without
    iCEM's parts)."""
    host: str = "127.0.0.1"
    """Address to listen on; any other than this machine's own needs a token."""
    port: int = 8080
    """Port to listen on."""
    address: str = ""
    """Where a reverse proxy shows the page, as in https://lab.example/robot; it needs a token."""
    token: str | None = None
    """What the page's address must carry; made up where it is needed and not given."""
    device: str = "auto"
    """Where the model computes: auto, cpu, mps, cuda, or one of several GPUs: cuda:1."""
    out: Path = Path("runs/gui")
    """Folder for everything that is written."""
    no_browser: bool = False
    """Do not open a browser."""

    def __post_init__(self) -> None:
        require(self.env)
        weights_of(self.settings().model)  # refuses unknown names
        find_device(self.device)
        if not 1 <= self.port <= MAX_PORT:
            raise UserError(
                f"a port is between 1 and {MAX_PORT}, got {self.port}: choose another"
            )
        if self.address and not ADDRESS.fullmatch(self.address):
            raise UserError(
                "an address is written like https://lab.example or http://lab.example:8000/robot, "
                f"got {self.address!r}: write the one that a browser shows"
            )
        if self.token is not None and not _is_token(self.token):
            raise UserError(
                f"a token has {MIN_TOKEN_LENGTH} or more letters and digits: "
                "choose a longer one, or none to have one made"
            )

    def settings(self) -> Settings:
        """Return what the session begins with."""
        return Settings(
            env=self.env,
            model=self.model,
            seed=self.seed,
            preset=self.preset,
            device=self.device,
        )


def _is_token(text: str) -> bool:
    return len(text) >= MIN_TOKEN_LENGTH and text.isascii() and text.isalnum()


def serve(config: GuiConfig) -> dict[str, Any]:
    """Show the page until interrupted.

    Returns:
        "address" and "runs" (how many are kept in the output folder).

    Raises:
        UserError: the port is taken, or the address is not this machine's.
        OSError: the folder for what is written cannot be used.
    """
    is_local = config.host in LOOPBACK and not config.address
    token = config.token or (None if is_local else secrets.token_urlsafe(24))
    _require_free(config.host, config.port)
    _require_writable(config.out)
    address = _address(config, token)
    if not is_local:
        logger.warning(
            "Listening on %s: whoever has the token can steer the robot.", config.host
        )
    logger.info("Open %s (Ctrl-C ends)", address)

    # Importing the toolkit takes a second; a bad configuration has been refused before.
    from nicegui import app, core, ui

    from visual_foresight.gui.page.page import Page

    keep_uploads_in_memory()
    session = Session(config.settings(), config.out)
    # The guard compares origins itself; no other site gets a header that lets it in.
    core.sio.eio.cors_allowed_origins = []
    cookie = f"{COOKIE}_{config.port}"
    app.add_middleware(Guard, token=token, cookie=cookie, address=config.address)
    app.on_shutdown(session.close)

    @ui.page("/")
    def show() -> None:
        Page(session)

    @app.get("/alive")
    def alive() -> dict[str, int | bool]:
        return {"version": session.version, "idle": session.state.is_idle}

    path = f"/?token={token}" if token else "/"
    ui.run(
        host=config.host,
        port=config.port,
        title="Visual Foresight",
        dark=None,
        show=False if config.no_browser else path,
        reload=False,
        show_welcome_message=False,
        reconnect_timeout=10,
        message_history_length=200,
    )
    return {"address": address, "runs": len(session.state.entries)}


def keep_uploads_in_memory() -> None:
    """Tell the web server to keep uploads off the disk, until they are decoded or refused."""
    from starlette.formparsers import MultiPartParser

    MultiPartParser.spool_max_size = 2 * MAX_BYTES


def _address(config: GuiConfig, token: str | None) -> str:
    """Return what to type into a browser."""
    name = f"[{config.host}]" if ":" in config.host else config.host
    outer = config.address.rstrip("/") or f"http://{name}:{config.port}"
    query = f"?token={token}" if token else ""
    return f"{outer}/{query}"


def _require_writable(folder: Path) -> None:
    """Write to the folder of the runs, so that none is lost at its end."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as probe:
        probe.write(bytes(2**16))


def _require_free(host: str, port: int) -> None:
    """Listen on the port for a moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UserError(
                f"cannot listen on {host}:{port} ({error.strerror}): "
                "choose another --host or --port"
            ) from error
