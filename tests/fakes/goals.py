"""A goal as another package would bring it: a designated pixel is to reach a row, at any column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from visual_foresight.types import Observation, Pixel, UserError


@dataclass(frozen=True)
class RowGoal:
    """Bring what is seen at a pixel to a row; its own measure is in rows."""

    kind: ClassVar[str] = "row"
    cost: ClassVar[str] = "pixel_distance"
    unit: ClassVar[str] = "rows"
    source: Pixel
    row: float

    @property
    def sources(self) -> tuple[Pixel, ...]:
        return (self.source,)

    @property
    def targets(self) -> tuple[Pixel, ...]:
        return (Pixel(self.row, self.source.col),)

    def check(self, frame_size: tuple[int, int]) -> None:
        if not self.targets[0].inside(*frame_size):
            raise UserError(f"row {self.row:g} is outside the frame: choose one inside it")

    def measure(self, observation: Observation, places: tuple[Pixel, ...]) -> float | None:
        return abs(places[0].row - self.row) if places else None

    def draw(self, picture: np.ndarray, places: Sequence[Pixel], scale: int) -> np.ndarray:
        drawn = picture.copy()
        drawn[round(scale * self.row)] = 255
        return drawn

    def describe(self) -> str:
        return f"row {self.row:g}"

    def to_json(self) -> list[float]:
        return [self.source.row, self.source.col, self.row]

    @classmethod
    def from_json(cls, written: Any) -> "RowGoal":
        row, col, wanted = written
        return cls(Pixel(row, col), wanted)
