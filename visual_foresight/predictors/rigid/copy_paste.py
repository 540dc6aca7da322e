"""Training images for segmentation, composed of frames, so that their layers are known.

Objects that are seen whole are pasted beside and over one another on the background, and the arm of
another frame over them. As in Ghiasi et al., "Simple Copy-Paste is a Strong Data Augmentation
Method for Instance Segmentation" (2021), except that our objects touch.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Int32, UInt8

from visual_foresight.predictors.rigid.bodies import SAME_COLOUR, SQUARE, opacity_of
from visual_foresight.vision.background import difference, largest_channel

SMALLEST_PX = 15  # least pixels of an object that is cut out
LARGEST_SHARE = 1 / 16  # most of the frame's pixels that an object may have
MARGIN_PX = 2  # least distance of an object to the arm and to the frame's border
MAX_PASTED = 2  # most objects that are added to a scene
TOUCHING_SHARE = 0.75  # share of the added objects that touch another
MAX_HIDDEN_PX = 2  # of an object, by how much the one in front may hide it
NUM_ARMS = 32  # arms that are drawn at random, of which the nearest is pasted
MAX_ARM_SHIFT_PX = 8  # by which an arm may be moved to an object
ARM_SHARE = 0.9  # share of the images with an arm
MAX_BLUR_PX = 2.0  # of the drawn arm
DISTORTED_SHARE = (
    0.4  # share of the drawn arms that are blurred, and of those shifted by a pixel
)
NOISE = 0.01  # standard deviation of the noise on all colours


@dataclass(frozen=True)
class Collage:
    """A composed image, what a robot would say of it, and its layers (`segmentation.Layers`)."""

    difference: Float32[np.ndarray, "h w 3"]
    """Colours minus the background's."""
    cover: Float32[np.ndarray, "h w"]
    """How much of each pixel the drawn arm covers, from 0 to 1."""
    tip: Float32[np.ndarray, "2"]
    """(row, col) of the fingertip in pixels; far outside of the frame where there is no arm."""
    arm: Float32[np.ndarray, "h w"]
    objects: Float32[np.ndarray, "h w"]
    border: Float32[np.ndarray, "h w"]


class CutPaste:
    """Cuts frames into objects that the arm does not touch and arms that touch no object.

    Args:
        frames: Colours from 0 to 1.
        background: The empty scene.
        cover: How much of each pixel the drawn arm covers.
        arm: Which pixels show the arm.
        tips: (row, col) of the fingertips.
    """

    def __init__(
        self,
        frames: Float32[np.ndarray, "b h w 3"],
        background: Float32[np.ndarray, "h w 3"],
        cover: Float32[np.ndarray, "b h w"],
        arm: Bool[np.ndarray, "b h w"],
        tips: Float32[np.ndarray, "b 2"],
    ) -> None:
        self.differences = frames - background
        self.background = background
        self.cover = cover
        self.arm = arm
        self.tips = tips
        self.labels = np.zeros(arm.shape, np.int32)  # of whole objects, from 1 on in each frame
        self.whole: list[tuple[int, int]] = []  # (frame, label)
        self.bare_arms: list[int] = []  # frames
        opaque = opacity_of(difference(frames, background)) > 0.5
        for frame in range(len(frames)):
            self._cut(frame, (opaque[frame] & ~arm[frame]).astype(np.uint8))
        self.scenes = sorted({frame for frame, _ in self.whole})

    def _cut(self, frame: int, objects: UInt8[np.ndarray, "h w"]) -> None:
        """List a frame's whole objects, and its arm if that touches none."""
        arm = self.arm[frame].astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(objects, connectivity=8)
        touched = np.unique(labels[cv2.dilate(arm, SQUARE, iterations=MARGIN_PX) > 0])
        height, width = objects.shape
        for label in range(1, count):
            left, top, across, down, area = stats[label]
            margin = min(left, top, width - left - across, height - top - down)
            fits = SMALLEST_PX <= area <= LARGEST_SHARE * objects.size
            if label not in touched and margin >= MARGIN_PX and fits:
                whole = int(self.labels[frame].max()) + 1
                self.labels[frame][labels == label] = whole
                self.whole.append((frame, whole))
        if not touched.any() and arm.any():
            self.bare_arms.append(frame)

    def collage(self, rng: np.random.Generator) -> Collage:
        """Compose an image of one scene's objects, others, and an arm."""
        composition = _Composition(self, self.scenes[rng.integers(len(self.scenes))])
        for _ in range(rng.integers(MAX_PASTED + 1)):
            frame, label = self.whole[rng.integers(len(self.whole))]
            composition.paste(frame, label, rng)
        opacity = opacity_of(largest_channel(composition.difference))
        objects = np.where(composition.labels > 0, opacity, 0).astype(np.float32)
        border = _borders(composition.labels)
        image = composition.difference
        arm, cover = np.zeros_like(objects), np.zeros_like(objects)
        tip = np.array([-1e3, -1e3], np.float32)
        if self.bare_arms and rng.random() < ARM_SHARE:
            image, arm, cover, tip = self._with_arm(composition, rng)
        noise = rng.normal(0, NOISE, image.shape).astype(np.float32)
        return Collage(image + noise, cover, tip, arm, objects, border)

    def _with_arm(
        self, composition: "_Composition", rng: np.random.Generator
    ) -> tuple[
        Float32[np.ndarray, "h w 3"],
        Float32[np.ndarray, "h w"],
        Float32[np.ndarray, "h w"],
        Float32[np.ndarray, "2"],
    ]:
        """Paste an arm, mostly over objects; return difference, arm, cover and fingertip."""
        occupied = np.argwhere(composition.labels > 0)
        target = occupied[rng.integers(len(occupied))] + rng.normal(0, 4, 2)
        some = rng.choice(self.bare_arms, NUM_ARMS)
        chosen = some[np.abs(self.tips[some] - target).sum(1).argmin()]
        shift = np.round(target - self.tips[chosen])
        shift = shift.clip(-MAX_ARM_SHIFT_PX, MAX_ARM_SHIFT_PX).astype(int)
        visible = self.arm[chosen] & (largest_channel(self.differences[chosen]) > SAME_COLOUR)
        arm = _shifted(visible, shift, extended=True)
        frame = self.differences[chosen] + self.background
        pasted = _shifted(frame, shift, extended=True) - self.background
        error = np.zeros(2, int)
        if rng.random() < DISTORTED_SHARE:
            error = rng.integers(-1, 2, 2)
        cover = _shifted(self.cover[chosen], shift + error, extended=True)
        if rng.random() < DISTORTED_SHARE:
            cover = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.5, MAX_BLUR_PX))
        image = np.where(arm[..., None], pasted, composition.difference)
        tip = (self.tips[chosen] + shift).astype(np.float32)
        return image, arm.astype(np.float32), cover, tip


class _Composition:
    """The whole objects of one frame on the background, and others that are pasted beside them."""

    def __init__(self, cut: CutPaste, frame: int) -> None:
        self._cut = cut
        self.labels = cut.labels[frame].copy()
        around = cv2.dilate((self.labels > 0).astype(np.uint8), SQUARE) > 0
        shown = (around & ~cut.arm[frame])[..., None]
        self.difference = np.where(shown, cut.differences[frame], np.float32(0))

    def paste(self, frame: int, label: int, rng: np.random.Generator) -> None:
        """Paste an object so that it touches another, or anywhere, if it fits into the frame."""
        mask = self._cut.labels[frame] == label
        size = np.array(mask.shape)
        pixels = np.argwhere(mask)
        shift = None
        if rng.random() < TOUCHING_SHARE:
            shift = self._shift_to_touch(mask, pixels.mean(0), rng)
        if shift is None:
            shift = rng.integers(-(size // 4), size // 4 + 1)
        low, high = pixels.min(0) + shift, pixels.max(0) + shift
        if (low < MARGIN_PX).any() or (high >= size - MARGIN_PX).any():
            return
        core = _shifted(mask, shift)
        pasted = _shifted(self._cut.differences[frame], shift)
        for other in np.unique(self.labels[core]):
            if other and np.argwhere(self.labels == other)[:, 0].max() > high[0]:
                core &= self.labels != other  # the other one stands in front
        around = cv2.dilate(core.astype(np.uint8), SQUARE) > 0
        stronger = largest_channel(pasted) > largest_channel(self.difference)
        shown = around & (core | (self.labels == 0) & stronger)
        self.difference[shown] = pasted[shown]
        self.labels[core] = self.labels.max() + 1

    def _shift_to_touch(
        self,
        mask: Bool[np.ndarray, "h w"],
        middle: Float[np.ndarray, "2"],
        rng: np.random.Generator,
    ) -> Int[np.ndarray, "2"] | None:
        """Return the shift (down, right) that makes an object touch another, from any side."""
        labels = np.unique(self.labels)[1:]
        other = np.argwhere(self.labels == rng.choice(labels)).mean(0)
        angle = rng.uniform(0, 2 * np.pi)
        direction = np.array([np.sin(angle), np.cos(angle)])
        for distance in range(max(mask.shape) * 3 // 8, -1, -1):
            shift = np.round(other + distance * direction - middle).astype(int)
            if (_shifted(mask, shift) & (self.labels > 0)).any():
                # Away from the camera, along the rows, one object hides part of another.
                most_hidden = round(MAX_HIDDEN_PX * abs(direction[0]))
                closer = distance + 1 - rng.integers(1 + most_hidden + 1)
                return np.round(other + closer * direction - middle).astype(int)
        return None


def _borders(labels: Int32[np.ndarray, "h w"]) -> Float32[np.ndarray, "h w"]:
    """Return 1 for pixels of an object that have a pixel of another one beside them."""
    largest = cv2.dilate(labels.astype(np.float32), SQUARE)
    least = cv2.erode(np.where(labels > 0, labels, np.inf).astype(np.float32), SQUARE)
    return ((labels > 0) & (largest != least)).astype(np.float32)


def _shifted(
    image: np.ndarray, shift: Int[np.ndarray, "2"], extended: bool = False
) -> np.ndarray:
    """Return an image moved down and to the right.

    What enters the frame is 0; `extended`, what enters from above repeats the upper border.
    """
    moved = np.zeros_like(image)
    height, width = image.shape[:2]
    down, right = shift
    rows = slice(max(down, 0), height + min(down, 0))
    cols = slice(max(right, 0), width + min(right, 0))
    if rows.start >= rows.stop or cols.start >= cols.stop:
        return moved
    moved[rows, cols] = image[
        rows.start - down : rows.stop - down, cols.start - right : cols.stop - right
    ]
    if extended:
        moved[: rows.start] = moved[rows.start]
    return moved
