"""The camera of `pusht`, straight above the table, and what it draws.

A pixel is covered by a thing as far as its centre lies within the thing's edge, between half a
pixel outside and half a pixel inside. So the least motion changes the frame.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from visual_foresight.envs.pusht.letters import LETTERS
from visual_foresight.envs.pusht.states import (
    AGENT_RADIUS_MM,
    SIDE_MM,
    WALLS_MM,
    LetterState,
    TableState,
)
from visual_foresight.types import Pixel

GROUND, WALL, AGENT = (242, 241, 236), (196, 196, 194), (72, 72, 76)
INKS = ((52, 108, 172), (202, 98, 42), (66, 140, 84))
"""The colours of letters, in the order of their numbers."""


@dataclass(frozen=True)
class Camera:
    """A camera that looks straight down: x points to the right of the frame, y down it.

    The shorter side of the frame shows the whole world; the longer one shows what is beyond the
    walls as well.
    """

    frame_size: tuple[int, int]
    """Height and width in pixels."""

    @property
    def pixel_mm(self) -> float:
        """Return the side of a pixel on the table."""
        return SIDE_MM / min(self.frame_size)

    @property
    def corner_mm(self) -> tuple[float, float]:
        """Return (x, y) of the first pixel's centre."""
        height, width = self.frame_size
        middle = SIDE_MM / 2
        x = middle - (width - 1) / 2 * self.pixel_mm
        y = middle - (height - 1) / 2 * self.pixel_mm
        return (x, y)

    def to_table(self, pixel: Pixel) -> tuple[float, float]:
        """Return the place (x, y) that is seen at a pixel, in millimetres."""
        x, y = self.corner_mm
        return (x + pixel.col * self.pixel_mm, y + pixel.row * self.pixel_mm)

    def to_frame(self, place_mm: tuple[float, float]) -> Pixel:
        """Return where a place (x, y) of the table is seen."""
        x, y = self.corner_mm
        return Pixel((place_mm[1] - y) / self.pixel_mm, (place_mm[0] - x) / self.pixel_mm)

    @property
    def homography(self) -> Float[np.ndarray, "3 3"]:
        """Return what takes (row, col, 1) to (x, y, 1), in metres."""
        x, y = self.corner_mm
        side = self.pixel_mm
        return np.array([[0.0, side, x], [side, 0.0, y], [0.0, 0.0, 1000.0]]) / 1000.0

    def draw_empty(self) -> Float[np.ndarray, "h w 3"]:
        """Return the ground between its walls, colours from 0 to 255."""
        picture = np.full((*self.frame_size, 3), GROUND, np.float64)
        x, y = self._axes()
        low, high = WALLS_MM
        middle = (low + high) / 2
        from_middle = np.maximum(np.abs(x - middle), np.abs(y - middle))
        self._paint(picture, (high - low) / 2 - from_middle, WALL)
        return picture

    def draw(
        self, state: TableState, empty: Float[np.ndarray, "h w 3"]
    ) -> UInt8[np.ndarray, "h w 3"]:
        """Return the frame: letters, and the agent over them.

        Args:
            state: what is seen.
            empty: what `draw_empty` returned.
        """
        picture = empty.copy()
        x, y = self._axes()
        for number, letter in enumerate(state.letters):
            rows, cols = self._around(letter.place_mm, LETTERS[state.letter].radius_mm)
            distance = letter_distance(state.letter, letter, x[:, cols], y[rows])
            self._paint(picture[rows, cols], distance, INKS[number])
        rows, cols = self._around(state.agent.place_mm, AGENT_RADIUS_MM)
        agent_x, agent_y = state.agent.place_mm
        distance = np.hypot(x[:, cols] - agent_x, y[rows] - agent_y) - AGENT_RADIUS_MM
        self._paint(picture[rows, cols], distance, AGENT)
        return np.round(picture).astype(np.uint8)

    def _axes(self) -> tuple[Float[np.ndarray, "1 w"], Float[np.ndarray, "h 1"]]:
        """Return x of each column and y of each row."""
        height, width = self.frame_size
        x, y = self.corner_mm
        columns = x + np.arange(width, dtype=np.float64)[None, :] * self.pixel_mm
        rows = y + np.arange(height, dtype=np.float64)[:, None] * self.pixel_mm
        return columns, rows

    def _around(self, place_mm: tuple[float, float], radius_mm: float) -> tuple[slice, slice]:
        """Return the rows and columns that a thing at this place can cover."""
        center = self.to_frame(place_mm)
        reach = radius_mm / self.pixel_mm + 1
        return _span(center.row, reach), _span(center.col, reach)

    def _paint(
        self,
        picture: Float[np.ndarray, "h w 3"],
        distance_mm: Float[np.ndarray, "h w"],
        color: Sequence[int],
    ) -> None:
        """Paint over the pixels that a thing covers, each by its share."""
        share = (0.5 - distance_mm / self.pixel_mm).clip(0, 1)[..., None]
        picture += share * (np.array(color) - picture)


def _span(center: float, reach: float) -> slice:
    """Return the whole numbers from 0 on that are at most so far from a centre."""
    first, last = math.ceil(center - reach), math.floor(center + reach)
    return slice(max(0, first), max(0, last + 1))


def letter_distance(
    name: str,
    letter: LetterState,
    x_mm: Float[np.ndarray, "1 w"],
    y_mm: Float[np.ndarray, "h 1"],
) -> Float[np.ndarray, "h w"]:
    """Return how far places of the table are from a letter's edge (mm); inside it is negative."""
    place_x, place_y = letter.place_mm
    cos, sin = np.cos(letter.angle), np.sin(letter.angle)
    away_x, away_y = x_mm - place_x, y_mm - place_y
    return LETTERS[name].distance_mm(cos * away_x + sin * away_y, cos * away_y - sin * away_x)
