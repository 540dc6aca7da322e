"""Who holds which token: what its holder may do, and how often somebody may guess.

The address that is printed carries a token once. What a browser keeps instead is a cookie with a
random text of its own, which nobody can guess; only tokens can be tried out, and slowly.
"""

import hmac
import ipaddress
import logging
import secrets
import time
from collections.abc import Callable
from enum import Enum

logger = logging.getLogger(__name__)
COOKIE = "visual_foresight_token"
FREE_GUESSES = 3
"""Wrong tokens after which the next one has to wait."""
FIRST_WAIT_S = 1.0
"""How long after the first of those; each further one doubles it."""
LONGEST_WAIT_S = 300.0
MAX_ADDRESSES = 1000
"""Clients whose guesses are remembered; the oldest are forgotten first."""
NETWORK_BITS = 64
"""Who has one IPv6 address has all that share its first bits."""


class Role(Enum):
    """What a page may do."""

    STEER = "steer"
    VIEW = "view"


class Door:
    """Knows the tokens.

    Args:
        token: lets its holder steer.
        view_token: lets its holder look on; None where nobody may look on only.
        cookie: the cookies' name. Browsers do not tell ports apart, so each port needs its own.
    """

    def __init__(self, token: str, view_token: str | None = None, cookie: str = COOKIE) -> None:
        self._tokens = {Role.STEER: token}
        if view_token is not None:
            self._tokens[Role.VIEW] = view_token
        self._kept = {role: secrets.token_urlsafe(24) for role in self._tokens}
        self._names = {Role.STEER: cookie, Role.VIEW: f"{cookie}_view"}
        self.guesses = Guesses()

    def role_of_token(self, given: str) -> Role | None:
        """Return what a token allows; None of a wrong one."""
        return _holder(self._tokens, given)

    def role_of_cookies(self, header: str) -> Role | None:
        """Return the most that a request's cookies allow; None if it has none of ours.

        Other programs on the same host set cookies, too, some of them malformed.
        """
        parts = (part.strip().partition("=") for part in header.split(";"))
        given = {name: value for name, _, value in parts}
        for role, text in self._kept.items():
            if _is_same(given.get(self._names[role], ""), text):
                return role
        return None

    def cookie(self, role: Role) -> str:
        """Return name and value of the cookie that a browser is to keep."""
        return f"{self._names[role]}={self._kept[role]}"


class Guesses:
    """How many wrong tokens came from where; after a few, the next ones have to wait.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: dict[str, int] = {}
        self._free_at: dict[str, float] = {}

    def wait_s(self, address: str) -> float:
        """Return the seconds until a token from there is looked at again."""
        return max(self._free_at.get(_network(address), 0.0) - self._clock(), 0.0)

    def note_wrong(self, address: str) -> None:
        """Remember a wrong token, and log the 1st, 10th, 100th, ... of an address."""
        network = _network(address)
        count = self._counts.pop(network, 0) + 1
        if self._clock() > self._free_at.pop(network, 0.0) + LONGEST_WAIT_S:
            count = 1  # long ago
        while len(self._counts) >= MAX_ADDRESSES:
            oldest = next(iter(self._counts))
            del self._counts[oldest], self._free_at[oldest]
        self._counts[network] = count
        doublings = count - FREE_GUESSES
        wait_s = min(FIRST_WAIT_S * 2.0 ** min(doublings, 30), LONGEST_WAIT_S)
        self._free_at[network] = self._clock() + (wait_s if doublings >= 0 else 0.0)
        if str(count).strip("0") == "1":
            logger.warning("%d wrong token(s) from %s", count, network)


def _holder(texts: dict[Role, str], given: str) -> Role | None:
    found = [role for role, text in texts.items() if _is_same(given, text)]
    return found[0] if found else None


def _is_same(given: str, text: str) -> bool:
    return hmac.compare_digest(given.encode(errors="replace"), text.encode())


def _network(address: str) -> str:
    """Return what stands for all addresses of one client."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "elsewhere"
    if known.version == 4:
        return str(known)
    return str(ipaddress.ip_network((known, NETWORK_BITS), strict=False))
