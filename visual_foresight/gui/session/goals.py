"""A goal while it is being made: pairs of pixels, clicked one after the other."""

from dataclasses import dataclass, replace
from typing import Literal

from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.types import Pixel

End = Literal["source", "target"]


@dataclass(frozen=True)
class Pair:
    """A designated pixel and its goal pixel, which may not have been clicked yet."""

    source: Pixel
    target: Pixel | None = None

    @property
    def keeps_still(self) -> bool:
        """Return whether the designated pixel is to stay where it is."""
        return self.source == self.target


@dataclass(frozen=True)
class Handle:
    """One end of a pair, grabbed to be dragged."""

    index: int
    end: End
    both: bool = False
    """Whether both ends move together, because the pair kept still when it was grabbed."""


@dataclass(frozen=True)
class Draft:
    """The pairs so far, in the order in which they were clicked; every change is a new draft."""

    pairs: tuple[Pair, ...] = ()

    @property
    def is_open(self) -> bool:
        """Return whether the last designated pixel has no goal pixel yet."""
        return bool(self.pairs) and self.pairs[-1].target is None

    @property
    def goal(self) -> PixelGoal | None:
        """Return the goal, once every pair is complete."""
        targets = tuple(pair.target for pair in self.pairs if pair.target is not None)
        if not targets or len(targets) < len(self.pairs):
            return None
        return PixelGoal(tuple(pair.source for pair in self.pairs), targets)

    def clicked(self, pixel: Pixel) -> "Draft":
        """Complete the open pair, or begin another."""
        if self.is_open:
            return Draft((*self.pairs[:-1], replace(self.pairs[-1], target=pixel)))
        return Draft((*self.pairs, Pair(pixel)))

    def kept(self, pixel: Pixel) -> "Draft":
        """Add a pixel that is to keep still; an open pair is dropped."""
        complete = self.pairs[:-1] if self.is_open else self.pairs
        return Draft((*complete, Pair(pixel, pixel)))

    def dragged(self, handle: Handle, pixel: Pixel) -> "Draft":
        """Move what was grabbed to a pixel."""
        pair = self.pairs[handle.index]
        if handle.both:
            changed = Pair(pixel, pixel)
        elif handle.end == "source":
            changed = replace(pair, source=pixel)
        else:
            changed = replace(pair, target=pixel)
        return Draft((*self.pairs[: handle.index], changed, *self.pairs[handle.index + 1 :]))

    def drawn_from(self, handle: Handle) -> Handle:
        """Return what a drag moves: of an open pair the goal pixel, which is drawn out of it."""
        is_open = self.pairs[handle.index].target is None
        return Handle(handle.index, "target") if is_open else handle

    def handle_at(self, pixel: Pixel, reach_px: float) -> Handle | None:
        """Return the nearest marker within reach; of equally near ones the newest."""
        ends: tuple[End, End] = ("source", "target")
        found = [
            (pixel.distance(place), -index, Handle(index, end, pair.keeps_still))
            for index, pair in enumerate(self.pairs)
            for end, place in zip(ends, (pair.source, pair.target), strict=True)
            if place is not None and pixel.distance(place) <= reach_px
        ]
        if not found:
            return None
        return min(found, key=lambda candidate: candidate[:2])[2]
