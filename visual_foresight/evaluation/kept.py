"""Worlds that a process keeps for its next jobs: simulators take long to begin.

A world that makes room for another is closed, and so are all of them when the process ends.
"""

import atexit
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from functools import wraps
from typing import TypeVar

from visual_foresight.interfaces import Env

Worlds = TypeVar("Worlds", bound=Sequence[Env])


def kept(num: int) -> Callable[[Callable[..., Worlds]], Callable[..., Worlds]]:
    """Let a function that makes worlds keep those that it was asked for last.

    Args:
        num: how many calls are remembered, by their arguments.
    """

    def decorate(make: Callable[..., Worlds]) -> Callable[..., Worlds]:
        found: OrderedDict[tuple[Hashable, ...], Worlds] = OrderedDict()

        def leave(num_left: int) -> None:
            while len(found) > num_left:
                _, worlds = found.popitem(last=False)
                for world in worlds:
                    world.close()

        @wraps(make)
        def get(*arguments: Hashable) -> Worlds:
            if arguments not in found:
                leave(num - 1)
                found[arguments] = make(*arguments)
            found.move_to_end(arguments)
            return found[arguments]

        atexit.register(leave, 0)
        return get

    return decorate
