"""Tracking by optical flow, checked against the designated object's first appearance."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from einops import repeat
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.types import Clip, Goal, Pixel, Plan, to_uint8
from visual_foresight.vision.optical_flow import follow

Frame = UInt8[np.ndarray, "h w 3"]
Patch = Float32[np.ndarray, "d d 3"]
Mask = Bool[np.ndarray, "d d"]
Template = tuple[Patch, Mask]


@dataclass(frozen=True)
class Track:
    """Optical flow, unless the object's appearance (template matching) contradicts it.

    1. Flow: pyramidal Lucas-Kanade (OpenCV) follows a small grid of points around the pixel from
       the previous frame to the newest and back. The pixel moves by the median of those points
       that return to where they started.
    2. Appearance: the object around the designated pixel in the reference frame is a template,
       compared in all rotations with the newest frame, everywhere near. The tracked place is taken
       only if it matches nearly as well as the best one, since flow sticks to an arm that passes.
    3. Where nothing matches, the pixel is hidden, most often by the arm, and is taken to be where
       the predictor imagined it (`Propagate`).
    """

    grid_radius: int = 2
    """Flow is computed at offsets of up to this many pixels around the pixel."""
    window_px: int = 7
    """Side of Lucas-Kanade's window, in pixels."""
    max_return_px: float = 0.7
    """A point that, tracked backwards, misses its start by more than this is not used."""
    patch_radius: int = 7
    """Radius of the template around the designated pixel, in pixels."""
    core_radius: float = 2.5
    """Within this radius, in pixels, everything belongs to the template."""
    background_px: int = 25
    """Side of the window whose median colour is the table's: wider than twice an object."""
    foreground_difference: float = 30.0
    """A pixel that differs from the table's colour by more than this (of 255) is an object's."""
    max_pixel_difference: float = 60.0
    """Upper limit of one pixel's difference (of 255), so that a covered part of the object does
    not outweigh the rest."""
    max_difference: float = 45.0
    """Largest mean difference (of 255) at which a template still matches."""
    margin: float = 4.0
    """By how much the best match must be better than the tracked place to be preferred to it."""
    search_px: int = 11
    """The template is searched for up to this far from where the pixel was."""
    difference_per_px: float = 1.0
    """Added to the difference per pixel of distance from the nearest likely place: where the pixel
    was, where flow tracks it, where the predictor imagined it."""
    num_rotations: int = 18
    """Rotations in which the template is compared."""

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        """Return one place per designated pixel (see `interfaces.Locator`)."""
        imagined = Propagate().locate(clip, goal, previous)
        if isinstance(goal, ImageGoal) or previous is None:
            return imagined
        reference = _rgb(previous.reference)
        newest = _rgb(clip.frames[0, -1])
        before = _rgb(clip.frames[0, -2]) if clip.frames.shape[1] > 1 else newest
        starts = previous.sources if len(previous.sources) == len(imagined) else imagined
        return tuple(
            self._locate_one(
                self._templates(reference, designated), before, newest, start, guess
            )
            for designated, start, guess in zip(goal.sources, starts, imagined, strict=True)
        )

    def _locate_one(
        self,
        templates: Sequence[Template],
        before: Frame,
        newest: Frame,
        start: Pixel,
        imagined: Pixel,
    ) -> Pixel:
        """Return where one pixel is now that was at `start` in the frame before."""
        tracked = self._follow(before, newest, start)
        difference = self._difference(templates, newest, start)
        rows, cols = np.indices(difference.shape)
        likely = [place for place in (start, imagined, tracked) if place is not None]
        away_px = np.min(
            [np.hypot(rows - place.row, cols - place.col) for place in likely], axis=0
        )
        unlikeness = difference + self.difference_per_px * away_px
        row, col = np.unravel_index(int(unlikeness.argmin()), unlikeness.shape)
        best = difference[row, col]
        if tracked is not None:
            there = _neighbourhood(difference, tracked).min()
            if there <= min(best + self.margin, self.max_difference):
                return tracked
        if best <= self.max_difference:
            return Pixel(float(row), float(col))
        return imagined

    def _follow(self, before: Frame, newest: Frame, start: Pixel) -> Pixel | None:
        """Return where optical flow moves the pixel; None when most points around it are lost."""
        offsets = np.arange(-self.grid_radius, self.grid_radius + 1, dtype=np.float32)
        grid = np.stack(np.meshgrid(offsets, offsets), axis=-1).reshape(-1, 2)
        points = grid + np.array([start.row, start.col], np.float32)
        there, good = follow(before, newest, points, self.window_px, self.max_return_px)
        if good.mean() < 0.5:
            return None
        down, right = np.median((there - points)[good], axis=0).tolist()
        place = Pixel(start.row + down, start.col + right)
        return place if place.inside(*newest.shape[:2]) else None

    def _templates(self, reference: Frame, designated: Pixel) -> list[Template]:
        """Return the surroundings of the designated pixel, and what of them is its object.

        One template per rotation.
        """
        body = self._object_at(reference, designated)
        offsets = np.arange(-self.patch_radius, self.patch_radius + 1)
        radius = np.hypot(offsets[:, None], offsets[None, :])
        templates = []
        for angle_deg in np.linspace(0, 360, self.num_rotations, endpoint=False):
            centre = (designated.col, designated.row)
            turn = cv2.getRotationMatrix2D(centre, float(angle_deg), 1.0)
            turn[:, 2] += self.patch_radius - np.array(centre)
            patch = cv2.warpAffine(
                reference, turn, radius.shape, borderMode=cv2.BORDER_REPLICATE
            ).astype(np.float32)
            on_object = cv2.warpAffine(body, turn, radius.shape) > 0.5
            mask = on_object | (radius <= self.core_radius)
            templates.append((patch, mask & (radius <= self.patch_radius + 0.5)))
        return templates

    def _object_at(self, frame: Frame, place: Pixel) -> Float32[np.ndarray, "h w"]:
        """Return a mask (0 or 1) of the connected foreground at a place."""
        background = cv2.medianBlur(frame, self.background_px)
        difference = np.abs(frame.astype(np.int16) - background).max(-1)
        foreground = difference > self.foreground_difference
        _, labels = cv2.connectedComponents(foreground.astype(np.uint8))
        row = min(round(place.row), labels.shape[0] - 1)
        col = min(round(place.col), labels.shape[1] - 1)
        return ((labels == labels[row, col]) & foreground).astype(np.float32)

    def _difference(
        self, templates: Sequence[Template], frame: Frame, start: Pixel
    ) -> Float32[np.ndarray, "h w"]:
        """Return how much the surroundings of each pixel differ from the most similar template.

        Infinity farther than `search_px` from the start.
        """
        side = 2 * self.patch_radius + 1
        border = (self.patch_radius, self.patch_radius)
        padded = np.pad(frame.astype(np.float32), (border, border, (0, 0)), "edge")
        top, bottom = self._searched(start.row, frame.shape[0])
        left, right = self._searched(start.col, frame.shape[1])
        part = padded[top : bottom + side - 1, left : right + side - 1]
        views = np.lib.stride_tricks.sliding_window_view(part, (side, side), axis=(0, 1))
        found = np.full(frame.shape[:2], np.inf, np.float32)
        for patch, mask in templates:
            per_pixel = np.abs(views[..., mask] - patch[mask].T).mean(2)
            mean = np.minimum(per_pixel, self.max_pixel_difference).mean(-1)
            found[top:bottom, left:right] = np.minimum(found[top:bottom, left:right], mean)
        return found

    def _searched(self, at: float, size: int) -> tuple[int, int]:
        """Return the first and the last row (or column), exclusive, that is searched."""
        return max(round(at) - self.search_px, 0), min(round(at) + self.search_px + 1, size)


def _neighbourhood(
    values: Float32[np.ndarray, "h w"], place: Pixel
) -> Float32[np.ndarray, "rows cols"]:
    """Return the values at a place within the frame and at its neighbours."""
    row = min(max(round(place.row), 0), values.shape[0] - 1)
    col = min(max(round(place.col), 0), values.shape[1] - 1)
    return values[max(row - 1, 0) : row + 2, max(col - 1, 0) : col + 2]


def _rgb(frame: Float[Tensor, "c h w"]) -> Frame:
    """Return a frame as OpenCV sees it; a grey one gets three equal channels."""
    image = to_uint8(frame.float())
    if image.shape[-1] != 3:
        image = repeat(image[..., :1], "h w 1 -> h w c", c=3)
    return np.ascontiguousarray(image)
