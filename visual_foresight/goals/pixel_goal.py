"""The goal of visual foresight: designated pixels, and the pixels that they are to go to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from visual_foresight.types import Goal, Observation, Pixel, UserError
from visual_foresight.vision.drawing import Frame, Picture, mark


@dataclass(frozen=True)
class PixelGoal:
    """Move what is now seen at each designated pixel to its goal pixel.

    `sources` are the designated pixels, `targets` the goal pixels in the same order. Finn and
    Levine, "Deep Visual Foresight for Planning Robot Motion", 2017.
    """

    kind: ClassVar[str] = "pixels"
    cost: ClassVar[str] = "pixel_distance"
    unit: ClassVar[str] = "px"
    sources: tuple[Pixel, ...]
    targets: tuple[Pixel, ...]

    def __post_init__(self) -> None:
        if len(self.sources) != len(self.targets) or not self.sources:
            raise ValueError(
                f"one goal pixel per designated pixel: {len(self.sources)} sources, "
                f"{len(self.targets)} targets"
            )

    def check(self, frame_size: tuple[int, int]) -> None:
        """Check that all pixels lie in a frame of this height and width.

        Raises:
            UserError: one does not.
        """
        height, width = frame_size
        for name, pixels in (("designated", self.sources), ("goal", self.targets)):
            for pixel in pixels:
                if not pixel.inside(height, width):
                    raise UserError(
                        f"the {name} pixel (row {pixel.row:g}, col {pixel.col:g}) is outside the "
                        f"frame of {height} rows and {width} columns: choose one inside it"
                    )

    def measure(self, observation: Observation, places: tuple[Pixel, ...]) -> float | None:
        """Return the distance to its goal of the pixel that is farthest from it, in pixels."""
        if len(places) != len(self.targets):
            return None
        pairs = zip(places, self.targets, strict=True)
        return float(max(place.distance(target) for place, target in pairs))

    def draw(self, picture: Frame, places: Sequence[Pixel], scale: int) -> Picture:
        """Draw a ring around each place and a cross at each goal pixel."""
        return mark(picture, places, self.targets, scale)

    def describe(self) -> str:
        """Return the pairs of pixels that move, as (row, col), and how many keep still."""
        pairs = list(zip(self.sources, self.targets, strict=True))
        moving = [pair for pair in pairs if pair[0] != pair[1]]
        parts = [f"({a.row:g}, {a.col:g}) → ({b.row:g}, {b.col:g})" for a, b in moving]
        if len(moving) < len(pairs):
            parts.append(f"{len(pairs) - len(moving)} kept still")
        return ", ".join(parts)

    def to_json(self) -> list[list[list[float]]]:
        """Return the pairs `[[row, col], [row, col]]` of designated pixel and goal pixel."""
        pairs = zip(self.sources, self.targets, strict=True)
        return [[[a.row, a.col], [b.row, b.col]] for a, b in pairs]

    @classmethod
    def from_json(cls, written: Any) -> "PixelGoal":
        """Make a goal of pairs.

        Raises:
            UserError: they are none.
        """
        try:
            sources = tuple(_pixel(source) for source, _ in written)
            targets = tuple(_pixel(target) for _, target in written)
            return cls(sources, targets)
        except (TypeError, ValueError) as error:
            raise UserError(
                "a goal of pixels is written as [[[row, col], [row, col]], ...], of designated "
                f"pixel and goal pixel ({error}): write it so"
            ) from error


def _pixel(written: Any) -> Pixel:
    row, col = written
    return Pixel(float(row), float(col))


def require_pixels(goal: Goal, frame_size: tuple[int, int]) -> None:
    """Check that a goal has designated pixels, and fits the frame.

    Raises:
        UserError: it has none, or does not fit.
    """
    if not goal.sources:
        raise UserError(
            f"This controller needs designated pixels, and the goal ({goal.describe()}) has none: "
            "give designated pixels and goal pixels instead."
        )
    goal.check(frame_size)
