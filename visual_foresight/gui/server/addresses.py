"""The addresses that are printed: ones that a browser can open."""

import socket

from visual_foresight.gui.server.door import Role

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Address that stands for all of this machine's -> the one that only this machine reaches."""
ELSEWHERE = {"0.0.0.0": "192.0.2.1", "::": "2001:db8::1"}
"""An address that is nobody's (RFC 5737, RFC 3849), of the same kind."""


def outward_name(host: str) -> str:
    """Return the address under which other machines reach this one; its name if it has none.

    Args:
        host: what is listened on.
    """
    if host not in EVERYWHERE:
        return host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((ELSEWHERE[host], 9))  # chooses a way; nothing is sent
        except OSError:
            return socket.gethostname()
        return str(probe.getsockname()[0])


def address_of(
    host: str, port: int, token: str | None, role: Role = Role.STEER, scheme: str = "http"
) -> str:
    """Return what to type into a browser."""
    name = f"[{host}]" if ":" in host else host
    return with_token(f"{scheme}://{name}:{port}", token, role)


def with_token(outer: str, token: str | None, role: Role = Role.STEER) -> str:
    """Return an address with what a browser has to say about its role."""
    if token:
        return f"{outer}/?token={token}"
    return f"{outer}/?role={role.value}" if role is Role.VIEW else f"{outer}/"
