"""Seeds: what every configuration with one accepts."""

import re

from visual_foresight.types import UserError

NUM_SEEDS = 2**64
"""Seeds are below this: generators take no larger ones."""


def require_seed(seed: int) -> None:
    """Refuse a seed that some generator does not take.

    Raises:
        UserError: it is negative, or has more than 64 bits.
    """
    if not 0 <= seed < NUM_SEEDS:
        raise UserError(
            f"a seed is a whole number from 0 to 2^64 - 1, got {seed}: choose another number"
        )


def parse_seed(text: str) -> int:
    """Return the seed that somebody has typed.

    Raises:
        UserError: it is no whole number, or too large.
    """
    if re.fullmatch(r"\s*[+-]?[0-9]+\s*", text) is None or len(text) > 2 * len(str(NUM_SEEDS)):
        raise UserError(
            f"a seed is a whole number from 0 to 2^64 - 1, got {text!r}: type another number"
        )
    seed = int(text)
    require_seed(seed)
    return seed
