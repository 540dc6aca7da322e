"""Where is each designated pixel now? The weakest assumption of the method, so it is one replaceable piece.

A locator sees what the camera saw and the previous plan, never the truth, and keeps nothing between calls: the frame in
which the pixels were designated travels in the plan (`Plan.reference`).
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from einops import repeat
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from visual_foresight.interfaces import Locator
from visual_foresight.pixel_maps import expected, mode
from visual_foresight.types import Clip, Goal, ImageGoal, Pixel, Plan, to_uint8

Frame = UInt8[np.ndarray, "h w 3"]


@dataclass(frozen=True)
class Propagate:
    """Believe the predictor: the pixel is where the executed action was imagined to bring it.

    Ebert et al., "Visual Foresight", 2018, section VI, "predictor propagation"; 20 % success on long pushes.
    """

    summary: Literal["mean", "mode"] = "mean"
    """What of the pixel map to believe: its expected position, or its likeliest cell."""

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return one place per designated pixel in the clip's newest frame (see `interfaces.Locator`)."""
        if isinstance(goal, ImageGoal):
            return ()
        if previous is None:
            return goal.sources
        maps = previous.prediction.pixel_maps[0, 0]
        if len(maps) != len(goal.sources):  # a plan of a controller that imagines nothing
            return previous.sources if len(previous.sources) == len(goal.sources) else goal.sources
        frame_size = (clip.frames.shape[-2], clip.frames.shape[-1])
        return expected(maps, frame_size) if self.summary == "mean" else mode(maps, frame_size)


@dataclass(frozen=True)
class Track:
    """Follow the pixel by optical flow, as long as it still looks as it did; else search for that look near the belief.

    1. Pyramidal Lucas-Kanade (OpenCV) on a small grid of points around the pixel, from the previous frame to this one
       and back; the median motion of those that come back to where they started.
    2. The patch there must look like the patch designated, in any rotation. An arm that moves over it does not.
    3. Otherwise the place near the belief that looks most like it, if any does; otherwise the belief (`Propagate`):
       the pixel is hidden, most often by the arm.
    """

    grid_radius: int = 2
    """Points are followed at offsets of up to so many pixels."""
    window_px: int = 7
    """Side of Lucas-Kanade's window."""
    max_return_px: float = 0.7
    """A point that comes back farther from its start than this is not believed."""
    patch_radius: int = 2
    """Radius of the round patch whose look is compared."""
    max_difference: float = 35.0
    """Largest root-mean-square difference of colour (0 to 255) at which a followed patch is still the same."""
    max_found_difference: float = 35.0
    """The same for a patch found by searching."""
    search_px: float = 18.0
    """How far from the belief to search."""
    difference_per_px: float = 1.0
    """What a pixel of distance from the belief weighs against likeness."""
    num_rotations: int = 12
    """Rotations in which the designated patch is compared."""

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return one place per designated pixel in the clip's newest frame (see `interfaces.Locator`)."""
        beliefs = Propagate().locate(clip, goal, previous)
        if isinstance(goal, ImageGoal) or previous is None:
            return beliefs
        reference = _rgb(previous.reference)
        newest = _rgb(clip.frames[0, -1])
        before = _rgb(clip.frames[0, -2]) if clip.frames.shape[1] > 1 else newest
        starts = previous.sources if len(previous.sources) == len(beliefs) else beliefs
        return tuple(
            self._locate_one(self._looks(reference, origin), (before, newest), start, belief)
            for origin, start, belief in zip(goal.sources, starts, beliefs, strict=True)
        )

    def _locate_one(
        self, looks: Float32[np.ndarray, "r d d 3"], frames: tuple[Frame, Frame], start: Pixel, belief: Pixel
    ) -> Pixel:
        before, newest = frames
        difference = self._difference(looks, newest)
        followed = self._follow(before, newest, start)
        if followed is not None and _around(difference, followed).min() <= self.max_difference:
            return followed
        rows, cols = np.indices(difference.shape)
        away_px = np.hypot(rows - belief.row, cols - belief.col)
        likeness = np.where(away_px <= self.search_px, difference + self.difference_per_px * away_px, np.inf)
        row, col = (int(place) for place in np.unravel_index(int(likeness.argmin()), likeness.shape))
        found = np.isfinite(likeness[row, col]) and difference[row, col] <= self.max_found_difference
        return Pixel(float(row), float(col)) if found else belief

    def _follow(self, before: Frame, newest: Frame, start: Pixel) -> Pixel | None:
        """Return where Lucas-Kanade sees the pixel go, or None when most of the points around it get lost."""
        offsets = np.arange(-self.grid_radius, self.grid_radius + 1, dtype=np.float32)
        grid = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 1, 2)
        points = grid + np.array([start.col, start.row], np.float32)  # OpenCV's order: x, y
        window = (self.window_px, self.window_px)
        there, seen, _ = cv2.calcOpticalFlowPyrLK(before, newest, points, None, winSize=window, maxLevel=2)
        back, returned, _ = cv2.calcOpticalFlowPyrLK(newest, before, there, None, winSize=window, maxLevel=2)
        missed_px = np.linalg.norm(back - points, axis=-1)
        good = (seen == 1) & (returned == 1) & (missed_px <= self.max_return_px)
        if good.mean() < 0.5:
            return None
        right, down = np.median((there - points)[good], axis=0).tolist()
        place = Pixel(start.row + down, start.col + right)
        return place if place.inside(*newest.shape[:2]) else None

    def _looks(self, reference: Frame, origin: Pixel) -> Float32[np.ndarray, "r d d 3"]:
        """Return the designated patch in all its rotations."""
        side = 2 * self.patch_radius + 1
        patches = []
        for angle_deg in np.linspace(0, 360, self.num_rotations, endpoint=False):
            turn = cv2.getRotationMatrix2D((origin.col, origin.row), float(angle_deg), 1.0)
            turn[:, 2] += self.patch_radius - np.array([origin.col, origin.row])
            patches.append(cv2.warpAffine(reference, turn, (side, side), borderMode=cv2.BORDER_REPLICATE))
        return np.stack(patches).astype(np.float32)

    def _difference(self, looks: Float32[np.ndarray, "r d d 3"], frame: Frame) -> Float32[np.ndarray, "h w"]:
        """Return how far the round patch around each pixel is from the most similar look: root mean square of colour."""
        radius = self.patch_radius
        padded = cv2.copyMakeBorder(frame, radius, radius, radius, radius, cv2.BORDER_REPLICATE).astype(np.float32)
        axis = np.arange(-radius, radius + 1)
        disc = (axis[:, None] ** 2 + axis[None, :] ** 2) <= (radius + 0.5) ** 2
        mask = repeat(disc.astype(np.float32), "h w -> h w c", c=3).copy()
        squares = np.min([cv2.matchTemplate(padded, look, cv2.TM_SQDIFF, mask=mask) for look in looks], axis=0)
        return np.sqrt(np.maximum(squares, 0) / mask.sum())


def _around(values: Float32[np.ndarray, "h w"], place: Pixel) -> Float32[np.ndarray, "rows cols"]:
    """Return the values at a place within the frame and at its neighbours."""
    row, col = (min(max(round(at), 0), size - 1) for at, size in zip((place.row, place.col), values.shape, strict=True))
    return values[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]


def _rgb(frame: Float[Tensor, "c h w"]) -> Frame:
    """Return a frame as OpenCV sees it; a grey one gets three equal channels."""
    image = to_uint8(frame.float())
    return np.ascontiguousarray(image if image.shape[-1] == 3 else repeat(image[..., :1], "h w 1 -> h w c", c=3))


LOCATORS: dict[str, type[Locator]] = {"propagate": Propagate, "track": Track}
