"""Detects what has changed, so that a page sends only that to the browser."""

PLAIN = (int, float, str, bool)


class ChangeDetector:
    """Remembers the values of its last call."""

    def __init__(self) -> None:
        self._values: tuple[object, ...] = ()

    def changed(self, *values: object) -> bool:
        """Tell whether any of these differs from the last call's; arrays differ by identity."""
        old = self._values
        self._values = values
        if len(old) != len(values):
            return True
        return any(_differ(a, b) for a, b in zip(old, values, strict=True))


def _differ(old: object, new: object) -> bool:
    return old is not new and not (isinstance(old, PLAIN) and old == new)
