"""A predictor that another thread can interrupt, and with it a search."""

from threading import Event
from typing import Any

from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor
from visual_foresight.types import Clip, Prediction


class StoppedError(Exception):
    """Planning was interrupted."""


class InterruptiblePredictor:
    """A predictor that refuses to imagine once `stop` is set.

    A search asks for many imaginations, one after the other, and is interrupted between two.
    """

    def __init__(self, predictor: Predictor, stop: Event) -> None:
        self.context = predictor.context
        self._predictor = predictor
        self._stop = stop

    def observe(self, clip: Clip) -> Any:
        """Return the wrapped predictor's carry."""
        return self._predictor.observe(clip)

    def designate(self, carry: Any, pixels: Float[Tensor, "b p 2"]) -> Any:
        """Let the wrapped predictor follow the pixels."""
        return self._predictor.designate(carry, pixels)

    def imagine(
        self, carry: Any, actions: Float[Tensor, "n t a"], decode: bool = False
    ) -> Prediction:
        """Imagine as the wrapped predictor does.

        Raises:
            StoppedError: `stop` is set.
        """
        if self._stop.is_set():
            raise StoppedError
        return self._predictor.imagine(carry, actions, decode)
