"""What a page that may only look on has in place of the session."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from visual_foresight.gui.session.gallery.gallery import Gallery
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.state import State

REFUSAL = "view only: this page shows what happens and steers nothing"
READS = ("describe_pixel", "ask")
"""What a page may ask a session, besides its state: it moves nothing, and changes no choice."""


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
    `READS` changes nothing, returns False and leaves a sentence. What this page says is shown by
    it alone.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._num_said = 0
        self._message = ""
        self._is_error = False
        self._message_then: str | None = None
        """The session's own message at that time, which ours stands before."""

    @property
    def version(self) -> int:
        """Return a number that grows with every change of `state`."""
        return self._session.version + self._num_said

    @property
    def state(self) -> State:
        """Return the session's state, with our own message until it has another."""
        state = replace(self._session.state, is_view_only=True)
        if self._message_then != state.message:
            self._message_then = None
            return state
        return replace(state, message=self._message, is_error=self._is_error)

    def show_message(self, sentence: str, is_error: bool = False) -> None:
        """Show a sentence on this page alone."""
        self._message_then = self._session.state.message
        self._message = sentence
        self._is_error = is_error
        self._num_said += 1

    @property
    def recordings(self) -> "Refusing":
        """Return what refuses whatever could be done with recorded data."""
        return Refusing(self._refuse)

    @property
    def gallery(self) -> Gallery:
        """Return what reads the kept runs; it changes none."""
        return self._session.gallery

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a method of the session that only reads, or one that refuses."""
        method = getattr(self._session, name)  # an unknown one is an error
        if name in READS:
            return method  # type: ignore[no-any-return]
        return self._refuse

    def _refuse(self, *_: object, **__: object) -> bool:
        self.show_message(REFUSAL, is_error=True)
        return False
