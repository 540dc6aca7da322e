"""The letters that are pushed: each is a bar and a stem, two boxes joined.

Measures are those of gym-pusht (Apache-2.0, `gym_pusht/envs/pusht.py`, `add_tee`), whose pixels are
millimetres here. A letter's own axes have their origin in its centre of gravity.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

BAR_MM, STEM_MM, THICK_MM = 120.0, 90.0, 30.0
"""Length of the bar, length of the stem below it, and the thickness of both."""


@dataclass(frozen=True)
class Box:
    """A rectangle in a letter's own axes: its corners with the least and the largest (x, y)."""

    low_mm: tuple[float, float]
    high_mm: tuple[float, float]

    @property
    def corners_mm(self) -> list[tuple[float, float]]:
        """Return the four corners in turn."""
        (x0, y0), (x1, y1) = self.low_mm, self.high_mm
        return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]

    def distance_mm(
        self, x_mm: Float[np.ndarray, "*h w"], y_mm: Float[np.ndarray, "*h w"]
    ) -> Float[np.ndarray, "*h w"]:
        """Return how far places in the letter's axes are from the edge; inside it is negative."""
        (x0, y0), (x1, y1) = self.low_mm, self.high_mm
        beyond_x = np.abs(x_mm - (x0 + x1) / 2) - (x1 - x0) / 2
        beyond_y = np.abs(y_mm - (y0 + y1) / 2) - (y1 - y0) / 2
        outside = np.hypot(np.maximum(beyond_x, 0), np.maximum(beyond_y, 0))
        return outside + np.minimum(np.maximum(beyond_x, beyond_y), 0)


@dataclass(frozen=True)
class Letter:
    """The shape of a letter.

    The stem's box reaches through the bar, so that no seam is seen where they join; the simulator
    gets the two without their overlap.
    """

    bar: Box
    stem: Box
    below_bar: Box
    """The part of the stem that is not in the bar."""
    origin_mm: tuple[float, float]
    """The middle of the bar's upper edge, from where gym-pusht counts a block's position."""

    def distance_mm(
        self, x_mm: Float[np.ndarray, "*h w"], y_mm: Float[np.ndarray, "*h w"]
    ) -> Float[np.ndarray, "*h w"]:
        """Return how far places in the letter's axes are from its edge; negative inside."""
        return np.minimum(self.bar.distance_mm(x_mm, y_mm), self.stem.distance_mm(x_mm, y_mm))

    @property
    def radius_mm(self) -> float:
        """Return how far the farthest corner is from the centre of gravity."""
        corners = [*self.bar.corners_mm, *self.stem.corners_mm]
        return float(max(np.hypot(x, y) for x, y in corners))


def letter_with_stem_at(middle_mm: float) -> Letter:
    """Return a letter whose stem hangs from this place of the bar, counted from its middle.

    Its centre of gravity is the mean of the two boxes' centres, as in gym-pusht, which does not
    weigh them by their areas.
    """
    top, bottom = THICK_MM, THICK_MM + STEM_MM
    x = middle_mm / 2
    y = (THICK_MM / 2 + (top + bottom) / 2) / 2
    left, right = middle_mm - THICK_MM / 2 - x, middle_mm + THICK_MM / 2 - x
    return Letter(
        bar=Box((-BAR_MM / 2 - x, -y), (BAR_MM / 2 - x, top - y)),
        stem=Box((left, -y), (right, bottom - y)),
        below_bar=Box((left, top - y), (right, bottom - y)),
        origin_mm=(-x, -y),
    )


LETTERS = {
    "T": letter_with_stem_at(0.0),
    "L": letter_with_stem_at((THICK_MM - BAR_MM) / 2),
}
"""The T, and the letter that no training episode shows."""
