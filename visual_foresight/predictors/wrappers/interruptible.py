"""A predictor that can be interrupted between two imaginations: a search is many of them."""

from threading import Event
from typing import Any

from jaxtyping import Float
from torch import Tensor

from visual_foresight.interfaces import Predictor
from visual_foresight.types import Clip, Prediction


class StoppedError(Exception):
    """Planning was interrupted."""


class InterruptiblePredictor:
    """A predictor that can be interrupted between two imaginations: a search is many of them."""

    def __init__(self, predictor: Predictor, stop: Event) -> None:
        self.context = predictor.context
        self._predictor, self._stop = predictor, stop

    def observe(self, clip: Clip) -> Any:
        """Return what the predictor does."""
        return self._predictor.observe(clip)

    def imagine(
        self,
        carry: Any,
        actions: Float[Tensor, "n t a"],
        pixel_maps: Float[Tensor, "n p map_h map_w"],
        decode: bool = False,
    ) -> Prediction:
        """Imagine, unless it is time to stop.

        Raises:
            StoppedError: it is.
        """
        if self._stop.is_set():
            raise StoppedError
        return self._predictor.imagine(carry, actions, pixel_maps, decode)
