"""What a page that may only look on has in place of the session."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State

REFUSAL = "view only: this page shows what happens and steers nothing"
READS = ("describe_pixel",)
"""What a page may ask a session, besides its state."""


class Refusing:
    """Has every method, and refuses each.

    Args:
        refuse: is called in the place of a method.
    """

    def __init__(self, refuse: Callable[..., Any]) -> None:
        self._refuse = refuse

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return what refuses."""
        return self._refuse


class ViewOnly:
    """Shows a session's state, and refuses whatever else the session can do.

    It has each method of the session, also those that the session will learn: what is not among
    `READS` changes nothing, returns False and leaves a sentence that this page alone shows.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._num_refusals = 0
        self._message_then: str | None = None
        """The session's own message at the last refusal, which ours stands before."""

    @property
    def version(self) -> int:
        """Return a number that grows with every change of `state`."""
        return self._session.version + self._num_refusals

    @property
    def state(self) -> State:
        """Return the session's state, with a refusal as its message until it has another."""
        state = self._session.state
        if self._message_then != state.message:
            self._message_then = None
            return state
        return replace(state, message=REFUSAL, is_error=True)

    @property
    def recordings(self) -> "Refusing":
        """Return what refuses whatever could be done with recorded data."""
        return Refusing(self._refuse)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a method of the session that only reads, or one that refuses."""
        method = getattr(self._session, name)  # an unknown one is an error
        if name in READS:
            return method  # type: ignore[no-any-return]
        return self._refuse

    def _refuse(self, *_: object, **__: object) -> bool:
        self._message_then = self._session.state.message
        self._num_refusals += 1
        return False
