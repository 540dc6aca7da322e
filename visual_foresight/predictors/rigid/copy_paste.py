"""Pictures whose layers are known, made of frames alone.

What was seen whole on the table is laid beside and over one another, and another frame's arm
over them. Things are pasted as in Ghiasi et al., "Simple Copy-Paste is a Strong Data
Augmentation Method for Instance Segmentation" (2021), but they touch.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int, Int32, UInt8

from visual_foresight.predictors.rigid.bodies import SAME, solid
from visual_foresight.vision.background import apart_from, strongest

SMALLEST_PX, LARGEST = 15, 1 / 16  # pixels of what is cut out; of the frame's, at most
MARGIN_PX = 2  # between it and the arm, or the frame's rim
PASTED = 2  # things that are added to a scene, at most
BESIDE = 0.75  # share of those that touch another
BEHIND_PX = 2  # of it that the one in front may hide
NUM_ARMS = 32  # of which the nearest is laid over
SLACK_PX = 8  # by which an arm is moved for that, at most
WITH_ARM = 0.9
UNSURE_PX = 2.0  # by which the drawn arm is blurred, at most, and
SHIFTED = 0.4  # share of those that are drawn a pixel off
GRAIN = 0.01  # standard deviation of noise
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True)
class Collage:
    """One picture, what the robot says of it, and its layers (see `sight.Layers`)."""

    apart: Float32[np.ndarray, "h w 3"]
    """How it differs from the empty table."""
    cover: Float32[np.ndarray, "h w"]
    """How much of each pixel the drawn arm covers, where the robot says that it is."""
    tip: Float32[np.ndarray, "2"]
    """(row, col) of the fingertip in pixels; far outside of the frame where there is no arm."""
    arm: Float32[np.ndarray, "h w"]
    thing: Float32[np.ndarray, "h w"]
    border: Float32[np.ndarray, "h w"]


class CutPaste:
    """Frames cut into what collages are made of: every thing in them that the arm does not
    touch, every arm that touches none.

    Args:
        frames: What was seen.
        empty: The table without anything.
        cover: How much of the arm is drawn at each pixel.
        arm: Where it is.
        tips: (row, col) of the fingertips.
    """

    def __init__(
        self,
        frames: Float32[np.ndarray, "b h w 3"],
        empty: Float32[np.ndarray, "h w 3"],
        cover: Float32[np.ndarray, "b h w"],
        arm: Bool[np.ndarray, "b h w"],
        tips: Float32[np.ndarray, "b 2"],
    ) -> None:
        self.apart, self.empty = frames - empty, empty
        self.cover, self.arm, self.tips = cover, arm, tips
        self.pieces = np.zeros(arm.shape, np.int32)
        self.whole: list[tuple[int, int]] = []
        self.bare_arms: list[int] = []
        seen = solid(apart_from(frames, empty)) > 0.5
        for number, (shows, covered) in enumerate(zip(seen, arm, strict=True)):
            self._cut(number, (shows & ~covered).astype(np.uint8), covered.astype(np.uint8))
        self.scenes = sorted({number for number, _ in self.whole})

    def _cut(
        self, number: int, things: UInt8[np.ndarray, "h w"], arm: UInt8[np.ndarray, "h w"]
    ) -> None:
        count, labels, stats, _ = cv2.connectedComponentsWithStats(things, connectivity=8)
        near = np.unique(labels[cv2.dilate(arm, SQUARE, iterations=MARGIN_PX) > 0])
        height, width = things.shape
        for label in range(1, count):
            left, top, across, down, area = stats[label]
            inside = min(left, top, width - left - across, height - top - down) >= MARGIN_PX
            if label not in near and inside and SMALLEST_PX <= area <= LARGEST * things.size:
                piece = int(self.pieces[number].max()) + 1
                self.pieces[number][labels == label] = piece
                self.whole.append((number, piece))
        if not near.any() and arm.any():
            self.bare_arms.append(number)

    def collage(self, rng: np.random.Generator) -> Collage:
        """Make a picture of one scene's things, others, and an arm."""
        canvas = _Canvas(self, self.scenes[rng.integers(len(self.scenes))])
        for _ in range(rng.integers(PASTED + 1)):
            number, label = self.whole[rng.integers(len(self.whole))]
            canvas.paste(number, label, rng)
        thing = np.where(canvas.pieces > 0, solid(strongest(canvas.apart)), 0).astype(
            np.float32
        )
        border = _borders(canvas.pieces)
        apart, arm, cover = canvas.apart, np.zeros_like(thing), np.zeros_like(thing)
        tip = np.array([-1e3, -1e3], np.float32)
        if self.bare_arms and rng.random() < WITH_ARM:
            apart, arm, cover, tip = self._with_arm(canvas, rng)
        grain = rng.normal(0, GRAIN, apart.shape).astype(np.float32)
        return Collage(apart + grain, cover, tip, arm, thing, border)

    def _with_arm(
        self, canvas: "_Canvas", rng: np.random.Generator
    ) -> tuple[
        Float32[np.ndarray, "h w 3"],
        Float32[np.ndarray, "h w"],
        Float32[np.ndarray, "h w"],
        Float32[np.ndarray, "2"],
    ]:
        """Lay an arm over it, mostly where things are."""
        there = np.argwhere(canvas.pieces > 0)
        target = there[rng.integers(len(there))] + rng.normal(0, 4, 2)
        some = rng.choice(self.bare_arms, NUM_ARMS)
        chosen = some[np.abs(self.tips[some] - target).sum(1).argmin()]
        shift = np.round(target - self.tips[chosen]).clip(-SLACK_PX, SLACK_PX).astype(int)
        shows = self.arm[chosen] & (strongest(self.apart[chosen]) > SAME)
        arm = _shifted(shows, shift, extended=True)
        picture = _shifted(self.apart[chosen] + self.empty, shift, extended=True) - self.empty
        off = rng.integers(-1, 2, 2) if rng.random() < SHIFTED else np.zeros(2, int)
        cover = _shifted(self.cover[chosen], shift + off, extended=True)
        if rng.random() < SHIFTED:
            cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, UNSURE_PX))
        apart = np.where(arm[..., None], picture, canvas.apart)
        return (
            apart,
            arm.astype(np.float32),
            cover,
            (self.tips[chosen] + shift).astype(np.float32),
        )


class _Canvas:
    """A scene's whole things on the empty table, to which others come."""

    def __init__(self, cut: CutPaste, number: int) -> None:
        self.cut, self.pieces = cut, cut.pieces[number].copy()
        around = cv2.dilate((self.pieces > 0).astype(np.uint8), SQUARE) > 0
        self.apart = np.where(
            (around & ~cut.arm[number])[..., None], cut.apart[number], np.float32(0)
        )

    def paste(self, number: int, label: int, rng: np.random.Generator) -> None:
        """Lay another thing on the table, so that it touches one, or anywhere; if there is room."""
        mask = self.cut.pieces[number] == label
        places = np.argwhere(mask)
        shift = self._beside(mask, places.mean(0), rng) if rng.random() < BESIDE else None
        if shift is None:
            shift = rng.integers(-(np.array(mask.shape) // 4), np.array(mask.shape) // 4 + 1)
        low, high = places.min(0) + shift, places.max(0) + shift
        if (low < MARGIN_PX).any() or (high >= np.array(mask.shape) - MARGIN_PX).any():
            return
        core, apart = _shifted(mask, shift), _shifted(self.cut.apart[number], shift)
        for other in np.unique(self.pieces[core]):
            if other and np.argwhere(self.pieces == other)[:, 0].max() > high[0]:
                core &= self.pieces != other  # it stands in front
        soft = cv2.dilate(core.astype(np.uint8), SQUARE) > 0
        soft &= core | (self.pieces == 0) & (strongest(apart) > strongest(self.apart))
        self.apart[soft] = apart[soft]
        self.pieces[core] = self.pieces.max() + 1

    def _beside(
        self, mask: Bool[np.ndarray, "h w"], middle: np.ndarray, rng: np.random.Generator
    ) -> Int[np.ndarray, "2"] | None:
        """Return by how much to shift a thing so that it comes to touch another, from a side."""
        labels = np.unique(self.pieces)[1:]
        other = np.argwhere(self.pieces == rng.choice(labels)).mean(0)
        angle = rng.uniform(0, 2 * np.pi)
        way = np.array([np.sin(angle), np.cos(angle)])
        for distance in range(max(mask.shape) * 3 // 8, -1, -1):
            shift = np.round(other + distance * way - middle).astype(int)
            if (_shifted(mask, shift) & (self.pieces > 0)).any():
                closer = distance + 1 - rng.integers(1 + round(BEHIND_PX * abs(way[0])) + 1)
                return np.round(other + closer * way - middle).astype(int)
        return None


def _borders(pieces: Int32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Tell which pixels of a piece have one of another beside them."""
    most = cv2.dilate(pieces.astype(np.float32), SQUARE)
    least = cv2.erode(np.where(pieces > 0, pieces, np.inf).astype(np.float32), SQUARE)
    return ((pieces > 0) & (most != least)).astype(np.float32)


def _shifted(
    image: np.ndarray, shift: Int[np.ndarray, "2"], extended: bool = False
) -> np.ndarray:
    """Return an image moved down and to the right.

    What comes in is nothing or, from above, what stood at the upper rim.
    """
    moved = np.zeros_like(image)
    (height, width), (down, right) = image.shape[:2], shift
    rows, cols = (
        slice(max(down, 0), height + min(down, 0)),
        slice(max(right, 0), width + min(right, 0)),
    )
    if rows.start < rows.stop and cols.start < cols.stop:
        moved[rows, cols] = image[
            rows.start - down : rows.stop - down, cols.start - right : cols.stop - right
        ]
        if extended:
            moved[: rows.start] = moved[rows.start]
    return moved
