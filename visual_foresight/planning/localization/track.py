"""Follow the designated pixel by optical flow, as long as its object still looks as it did.

Else search for that look.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from einops import repeat
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.types import Clip, Goal, ImageGoal, Pixel, Plan, to_uint8
from visual_foresight.vision.optical_flow import follow

Frame = UInt8[np.ndarray, "h w 3"]
Patch = Float32[np.ndarray, "d d 3"]
Mask = Bool[np.ndarray, "d d"]


@dataclass(frozen=True)
class Track:
    """Follow the pixel by optical flow, as long as its object still looks as it did there; else
    search for that look.

    1. Pyramidal Lucas-Kanade (OpenCV) on a small grid of points around the pixel, from the
       previous frame to this one and back; the median motion of those that come back to where
       they started.
    2. The object's own pixels around the designated one, in any rotation, are compared with the
       frame everywhere near. The followed place must look nearly as much like them as the best
       one: flow sticks to an arm that passes.
    3. Where nothing looks like them, the pixel is hidden, most often by the arm: the belief
       (`Propagate`) has to do.
    """

    grid_radius: int = 2
    """Points are followed at offsets of up to so many pixels."""
    window_px: int = 7
    """Side of Lucas-Kanade's window."""
    max_return_px: float = 0.7
    """A point that comes back farther from its start than this is not believed."""
    patch_radius: int = 7
    """How far from the designated pixel its object is compared."""
    core_radius: float = 2.5
    """So near, everything is taken for the object."""
    background_px: int = 25
    """Side of the window whose median colour is the table's: wider than twice an object."""
    foreground_difference: float = 30.0
    """From this difference to the median colour (0 to 255) on, a pixel belongs to an object."""
    max_pixel_difference: float = 60.0
    """A pixel differs by so much at most: what covers a part of the object must not outweigh
    the rest."""
    max_difference: float = 45.0
    """Largest mean difference of colour at which an object is still the same."""
    margin: float = 4.0
    """By how much the place found by searching must look better to be believed against the
    followed one."""
    search_px: int = 11
    """How far to search from where the pixel was."""
    difference_per_px: float = 1.0
    """What a pixel of distance, from the followed place, the belief or where it was, weighs
    against likeness."""
    num_rotations: int = 18
    """Rotations in which the object is compared."""

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
        self,
        looks: Sequence[tuple[Patch, Mask]],
        frames: tuple[Frame, Frame],
        start: Pixel,
        belief: Pixel,
    ) -> Pixel:
        before, newest = frames
        tracked = self._follow(before, newest, start)
        difference = self._difference(looks, newest, start)
        rows, cols = np.indices(difference.shape)
        likely = [place for place in (start, belief, tracked) if place is not None]
        away_px = np.min(
            [np.hypot(rows - place.row, cols - place.col) for place in likely], axis=0
        )
        unlikeness = difference + self.difference_per_px * away_px
        row, col = (
            int(place) for place in np.unravel_index(int(unlikeness.argmin()), unlikeness.shape)
        )
        if tracked is not None:
            here = _around(difference, tracked).min()
            if here <= min(difference[row, col] + self.margin, self.max_difference):
                return tracked
        return (
            Pixel(float(row), float(col))
            if difference[row, col] <= self.max_difference
            else belief
        )

    def _follow(self, before: Frame, newest: Frame, start: Pixel) -> Pixel | None:
        """Return where Lucas-Kanade sees the pixel go, or None when most of the points around it get lost."""
        offsets = np.arange(-self.grid_radius, self.grid_radius + 1, dtype=np.float32)
        grid = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
        points = grid + np.array([start.row, start.col], np.float32)
        there, good = follow(before, newest, points, self.window_px, self.max_return_px)
        if good.mean() < 0.5:
            return None
        down, right = np.median((there - points)[good], axis=0).tolist()
        place = Pixel(start.row + down, start.col + right)
        return place if place.inside(*newest.shape[:2]) else None

    def _looks(self, reference: Frame, origin: Pixel) -> list[tuple[Patch, Mask]]:
        """Return the surroundings of the designated pixel in all rotations, and what of them is its object."""
        background = cv2.medianBlur(reference, self.background_px)
        apart = (
            np.abs(reference.astype(np.int16) - background).max(-1) > self.foreground_difference
        )
        _, labels = cv2.connectedComponents(apart.astype(np.uint8))
        own = labels[
            min(round(origin.row), len(labels) - 1), min(round(origin.col), labels.shape[1] - 1)
        ]
        body = ((labels == own) & apart).astype(np.float32)
        offsets = np.arange(-self.patch_radius, self.patch_radius + 1)
        radius = np.hypot(offsets[:, None], offsets[None, :])
        looks = []
        for angle_deg in np.linspace(0, 360, self.num_rotations, endpoint=False):
            turn = cv2.getRotationMatrix2D((origin.col, origin.row), float(angle_deg), 1.0)
            turn[:, 2] += self.patch_radius - np.array([origin.col, origin.row])
            patch = cv2.warpAffine(
                reference, turn, radius.shape, borderMode=cv2.BORDER_REPLICATE
            ).astype(np.float32)
            mask = (cv2.warpAffine(body, turn, radius.shape) > 0.5) | (
                radius <= self.core_radius
            )
            looks.append((patch, mask & (radius <= self.patch_radius + 0.5)))
        return looks

    def _difference(
        self, looks: Sequence[tuple[Patch, Mask]], frame: Frame, start: Pixel
    ) -> Float32[np.ndarray, "h w"]:
        """Return how far the surroundings of each pixel near the start are from the most similar look; else infinity."""
        side = 2 * self.patch_radius + 1
        padded = np.pad(
            frame.astype(np.float32),
            ((self.patch_radius,) * 2, (self.patch_radius,) * 2, (0, 0)),
            "edge",
        )
        (top, bottom), (left, right) = (
            (max(round(at) - self.search_px, 0), min(round(at) + self.search_px + 1, size))
            for at, size in zip((start.row, start.col), frame.shape[:2], strict=True)
        )
        part = padded[top : bottom + side - 1, left : right + side - 1]
        views = np.lib.stride_tricks.sliding_window_view(part, (side, side), axis=(0, 1))
        found = np.full(frame.shape[:2], np.inf, np.float32)
        for patch, mask in looks:
            apart = np.abs(views[..., mask] - patch[mask].T).mean(2)
            near = np.minimum(apart, self.max_pixel_difference).mean(-1)
            found[top:bottom, left:right] = np.minimum(found[top:bottom, left:right], near)
        return found


def _around(
    values: Float32[np.ndarray, "h w"], place: Pixel
) -> Float32[np.ndarray, "rows cols"]:
    """Return the values at a place within the frame and at its neighbours."""
    row, col = (
        min(max(round(at), 0), size - 1)
        for at, size in zip((place.row, place.col), values.shape, strict=True)
    )
    return values[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]


def _rgb(frame: Float[Tensor, "c h w"]) -> Frame:
    """Return a frame as OpenCV sees it; a grey one gets three equal channels."""
    image = to_uint8(frame.float())
    return np.ascontiguousarray(
        image if image.shape[-1] == 3 else repeat(image[..., :1], "h w 1 -> h w c", c=3)
    )
