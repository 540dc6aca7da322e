"""What scripts of the page send: looked at before it is used, since a browser can send anything."""

import math
from collections.abc import Callable

from nicegui import events

Handler = Callable[[events.GenericEventArguments], None]


def checked(handler: Handler, *kinds: type) -> Handler:
    """Return a handler that passes over events which bring something else than its script sends.

    Args:
        handler: takes the event.
        kinds: of the values that the script sends: float, bool or str.
    """

    def handle(event: events.GenericEventArguments) -> None:
        values = event.args if isinstance(event.args, list) else [event.args]
        if len(values) == len(kinds) and all(map(_is_of_kind, values, kinds)):
            handler(event)

    return handle


def _is_of_kind(value: object, kind: type) -> bool:
    if kind is not float:
        return isinstance(value, kind)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= 1e6 and math.isfinite(value)
