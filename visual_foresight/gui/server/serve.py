"""The web server of the page: its configuration, and everything from the port to the browser."""

import asyncio
import logging
import re
import secrets
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visual_foresight.control.methods import weights_of
from visual_foresight.envs.registry import require
from visual_foresight.gui.server.addresses import (
    EVERYWHERE,
    address_of,
    outward_name,
    with_token,
)
from visual_foresight.gui.server.door import COOKIE, Door, Role
from visual_foresight.gui.server.guard import ANSWER_HEADERS, LOOPBACK, ROLE, Guard
from visual_foresight.gui.server.websocket import use_own_websocket
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.view_only import REFUSAL
from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.system.devices import find_device
from visual_foresight.system.files import require_folder
from visual_foresight.types import UserError

logger = logging.getLogger(__name__)
MIN_TOKEN_LENGTH = 8
MAX_PORT = 65535
LONGEST_ALONE_S = 86400
PING_EVERY_S = 3
"""How often a browser is asked whether it is there."""
PING_PATIENCE_S = 4
"""How long it may take to answer; then its page counts as gone."""
ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w.~-]+)*/?", re.ASCII)


@dataclass(frozen=True)
class GuiConfig:
    """What to begin with, and who may see the page."""

    env: str = "push"
    """Which world."""
    model: str = FLAGSHIP
    """Name of a predictor, or folder of a checkpoint."""
    data: Path | None = None
    """Recorded episodes to imagine from, in place of a world: a folder of them, or a dataset of
    another format that is installed."""
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
    view_token: str | None = None
    """The same for pages that show everything and steer nothing."""
    stop_when_alone: float = 5.0
    """Seconds without a page that steers after which a run is stopped; 0 for never."""
    tls_certificate: Path | None = None
    """Certificate (PEM) with which the page is encrypted; it needs a key."""
    tls_key: Path | None = None
    """The certificate's key (PEM), without a password."""
    device: str = "auto"
    """Where the model computes: auto, cpu, mps, cuda, or one of several GPUs: cuda:1."""
    out: Path = Path("runs/gui")
    """Folder for everything that is written."""
    no_browser: bool = False
    """Do not open a browser."""

    def __post_init__(self) -> None:
        if self.data is None:
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
        for token in (self.token, self.view_token):
            if token is not None and not _is_token(token):
                raise UserError(
                    f"a token has {MIN_TOKEN_LENGTH} or more letters and digits: "
                    "choose a longer one, or none to have one made"
                )
        if self.view_token is not None and self.view_token == self.token:
            raise UserError(
                "the token of pages that steer nothing is the one of those that steer: "
                "choose another --view-token"
            )
        if not 0 <= self.stop_when_alone <= LONGEST_ALONE_S:
            raise UserError(
                f"a run goes on alone for 0 to {LONGEST_ALONE_S} seconds, got "
                f"{self.stop_when_alone:g}: choose another --stop-when-alone"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise UserError(
                "a page is encrypted with a certificate and its key, got one of them: "
                "give both --tls-certificate and --tls-key, or neither"
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

    @property
    def needs_token(self) -> bool:
        """Return whether others than this machine reach the page."""
        return self.host not in LOOPBACK or bool(self.address)

    @property
    def scheme(self) -> str:
        """Return how this server's own addresses begin."""
        return "http" if self.tls_certificate is None else "https"


def _is_token(text: str) -> bool:
    return len(text) >= MIN_TOKEN_LENGTH and text.isascii() and text.isalnum()


@dataclass(frozen=True)
class Tokens:
    """What the addresses carry; None where none is needed."""

    steer: str | None
    view: str | None


def serve(config: GuiConfig) -> dict[str, Any]:
    """Show the page until interrupted.

    Returns:
        "address" and "runs" (how many are kept in the output folder).

    Raises:
        UserError: the port is taken, the address is not this machine's, the folder for what is
            written cannot be used, the recorded data cannot be opened, or certificate and key do
            not fit.
    """
    tokens = Tokens(config.token, config.view_token)
    if config.needs_token or config.token or config.view_token:
        tokens = Tokens(
            config.token or secrets.token_urlsafe(24),
            config.view_token or secrets.token_urlsafe(24),
        )
    _require_free(config.host, config.port)
    require_folder(config.out, "the runs")
    _require_certificate(config)

    # Importing the toolkit takes a second; a bad configuration has been refused before.
    from nicegui import app, core, ui

    session = Session(config.settings(), config.out, config.data)
    _build(config, session, tokens)
    app.on_shutdown(session.close)
    address = _announce(config, tokens)
    # The guard compares origins itself; no other site gets a header that lets it in.
    core.sio.eio.cors_allowed_origins = []
    local = address_of(
        EVERYWHERE.get(config.host, config.host),
        config.port,
        tokens.steer,
        scheme=config.scheme,
    )
    use_own_websocket()
    try:
        ui.run(
            host=config.host,
            port=config.port,
            title="Visual Foresight",
            dark=None,
            show=False if config.no_browser else local.partition(f":{config.port}")[2],
            reload=False,
            show_welcome_message=False,
            reconnect_timeout=10,
            message_history_length=200,
            headers=list(ANSWER_HEADERS),
            ssl_certfile=config.tls_certificate,
            ssl_keyfile=config.tls_key,
        )
    except KeyboardInterrupt:  # Ctrl-C and SIGTERM are how a page ends
        logger.info("The page is closed; the runs are kept in %s", config.out)
    return {"address": address, "runs": len(session.state.entries)}


def _build(config: GuiConfig, session: Session, tokens: Tokens) -> None:
    """Give the toolkit's application its guard, its page and its routes."""
    from nicegui import app, core, ui
    from starlette.requests import Request
    from starlette.responses import Response

    from visual_foresight.gui.page.page import Page
    from visual_foresight.gui.page.scene.uploads import take_picture
    from visual_foresight.gui.server.presence import Presence
    from visual_foresight.gui.server.run_files import add_run_files
    from visual_foresight.gui.server.sockets import guard_sockets, role_of
    from visual_foresight.gui.session.view_only import ViewOnly

    door = None
    if tokens.steer is not None:
        door = Door(tokens.steer, tokens.view, f"{COOKIE}_{config.port}")
    is_tls = config.tls_certificate is not None
    app.add_middleware(Guard, door=door, address=config.address, is_tls=is_tls)
    guard_sockets()
    presence = Presence(session, config.stop_when_alone)
    add_run_files(app, session.gallery)

    @app.on_startup
    def find_lost_pages_soon() -> None:
        core.sio.eio.ping_interval = PING_EVERY_S
        core.sio.eio.ping_timeout = PING_PATIENCE_S

    @ui.page("/")
    def show() -> None:
        client = ui.context.client
        if role_of(client) is Role.VIEW:
            Page(ViewOnly(session), is_view_only=True)  # type: ignore[arg-type]
        else:
            presence.watch(client)
            Page(session)

    @app.get("/alive")
    def alive() -> dict[str, int | bool]:
        return {"version": session.version, "idle": session.state.is_idle}

    @app.post("/goal-image")
    async def take_goal_image(request: Request) -> Response:
        if request.scope[ROLE] is Role.VIEW:
            return Response(f"{REFUSAL}\n", 403, media_type="text/plain")
        data = await request.body()
        try:
            # in a thread, so that the pages go on meanwhile
            await asyncio.to_thread(take_picture, session, data)
        except UserError as error:
            return Response(f"{error}\n", 422, media_type="text/plain")
        return Response(status_code=204)


def _announce(config: GuiConfig, tokens: Tokens) -> str:
    """Say which addresses open, and return that of the page that steers."""
    name = outward_name(config.host)
    outer = config.address.rstrip("/") or address_of(
        name, config.port, None, scheme=config.scheme
    ).rstrip("/")
    address = with_token(outer, tokens.steer)
    if config.needs_token:
        logger.warning(
            "Listening on %s: whoever has the token can steer the robot.", config.host
        )
    logger.info("Open %s (Ctrl-C ends)", address)
    if config.host in EVERYWHERE:
        here = EVERYWHERE[config.host]
        here = address_of(here, config.port, tokens.steer, scheme=config.scheme)
        logger.info("On this machine: %s", here)
    logger.info("To look on only: %s", with_token(outer, tokens.view, Role.VIEW))
    return address


def _require_certificate(config: GuiConfig) -> None:
    """Load certificate and key once, so that a bad one is refused before the page is announced."""
    certificate, key = config.tls_certificate, config.tls_key
    if certificate is None or key is None:
        return

    def refuse_password() -> str:
        raise UserError(
            f"the key {key} is locked with a password: write it without one "
            "(openssl pkey -in KEY -out NEW)"
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=refuse_password)
    except OSError as error:  # ssl.SSLError is one
        reason = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise UserError(
            f"certificate {certificate} and key {key} cannot be used together "
            f"({reason or error}): give a PEM certificate and the key that it was made with"
        ) from error


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
