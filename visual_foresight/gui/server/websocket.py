"""The protocol of the pages' websockets, which ends in peace."""

from contextlib import suppress

from uvicorn.config import WS_PROTOCOLS
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol
from wsproto.utilities import LocalProtocolError


class Websocket(WSProtocol):
    """uvicorn's, but for a socket that the browser closes while the program ends."""

    def shutdown(self) -> None:
        """Close the socket, unless that is done already (uvicorn would end in a traceback)."""
        with suppress(LocalProtocolError):
            super().shutdown()


def use_own_websocket() -> None:
    """Have uvicorn take ours where the toolkit asks for this protocol, by its name."""
    WS_PROTOCOLS["wsproto"] = f"{__name__}:{Websocket.__name__}"
