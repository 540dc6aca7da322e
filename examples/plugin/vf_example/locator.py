"""The locator `template`: what was around the designated pixel is looked for near where it was."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from visual_foresight.types import Clip, Pixel, to_uint8
from visual_foresight.vision.pixel_maps import expected

Image = UInt8[np.ndarray, "_h _w 3"]


@dataclass(frozen=True)
class Memory:
    """What is handed from one call to the next: the locator itself keeps nothing."""

    templates: tuple[Image, ...]
    """The surroundings of each designated pixel in the frame in which it was designated."""
    places: tuple[Pixel, ...]
    """Where they were found last."""


@dataclass(frozen=True)
class Template:
    """Takes the most similar place near the last one, or the imagined one if none is similar.

    It compares no rotations: for objects that hardly turn, or look the same from all sides.
    """

    radius_px: int = 5
    """Of the surroundings that are compared."""
    search_px: int = 8
    """How far from its last place a pixel is looked for, an axis."""
    least: float = 0.5
    """Correlation, at most 1, from which on a place counts as similar."""

    def begin(self, clip: Clip, sources: tuple[Pixel, ...]) -> tuple[Memory, tuple[Pixel, ...]]:
        """Remember what is around the designated pixels (see `interfaces.Locator`)."""
        frame = to_uint8(clip.frames[0, -1])
        templates = tuple(_around(frame, each, self.radius_px) for each in sources)
        return Memory(templates, sources), sources

    def locate(
        self, memory: Memory, clip: Clip, imagined: Float[Tensor, "p map_h map_w"]
    ) -> tuple[Memory, tuple[Pixel, ...]]:
        """Look for each pixel in the newest frame (see `interfaces.Locator`)."""
        frame = to_uint8(clip.frames[0, -1])
        was_imagined = len(imagined) == len(memory.places)
        guesses = expected(imagined, clip.frame_size) if was_imagined else memory.places
        places = tuple(
            self._find(frame, template, last) or guess
            for template, last, guess in zip(
                memory.templates, memory.places, guesses, strict=True
            )
        )
        return Memory(memory.templates, places), places

    def _find(self, frame: Image, template: Image, last: Pixel) -> Pixel | None:
        """Return the most similar place, or None if none is similar enough."""
        part = _around(frame, last, self.radius_px + self.search_px)
        match = cv2.matchTemplate(part, template, cv2.TM_CCOEFF_NORMED)
        row, col = np.unravel_index(int(match.argmax()), match.shape)
        if match[row, col] < self.least:
            return None
        found = Pixel(
            last.row + float(row) - self.search_px, last.col + float(col) - self.search_px
        )
        return found if found.inside(*frame.shape[:2]) else None


def _around(frame: Image, place: Pixel, radius_px: int) -> Image:
    """Return the square around a place, whose middle may lie between pixels."""
    side = 2 * radius_px + 1
    wide = np.pad(frame, ((side, side), (side, side), (0, 0)), "edge")
    return cv2.getRectSubPix(wide, (side, side), (place.col + side, place.row + side))
