"""From an image of objects on a known empty table to rigid bodies, seen from above.

A cell of the table is under an object if every point above it, up to an object's height, is seen
as an object. So the sides of an object that the camera sees are not mistaken for ground that it
covers. Connected components (OpenCV) are bodies, unless a predicted border parts them. Colours that
the arm hides are inpainted (Telea 2004, OpenCV).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Complex, Float, Float32, Int, UInt8
from torch import Tensor

from visual_foresight.predictors.rigid.contact_module import Bodies
from visual_foresight.vision.background import difference
from visual_foresight.vision.homography import apply_homography, as_complex, camera_of

SAME_COLOUR = 0.04  # a pixel that differs less from the background shows the background
TRANSPARENT = 0.1  # difference to the background at which a pixel begins to show an object
OPAQUE = 0.3  # difference to the background from which on a pixel shows an object alone
# Heights of what is seen of an object, over the plane for which the camera is calibrated.
LOWEST_M, HIGHEST_M = -0.026, 0.008
NUM_HEIGHTS = 5
MAX_BODIES = 6
SMALLEST_M2 = 3e-4  # least area of a body's footprint
LARGEST_HOLE_M2 = 1.5e-3  # largest hole that is filled: 2 or 3 pixels that look like the table
# Sides of a body's patch, and of the table at most. Each has at least so many cells.
PATCH_M, TABLE_M = 0.173, 1.73
PATCH_CELLS, TABLE_CELLS = 40, 400
CELLS_PER_PIXEL = 2  # along each axis, for a pixel in the middle of the frame
OUTLINE_POINTS = 24
BORDER = 0.3  # probability from which on a pixel is a border between two objects
SMALLEST_PX = 6  # least pixels of a segment, without its borders
# A pixel outside of all segments joins the nearest one if it is so opaque, and so near.
LEAST_OPACITY, MAX_REACH_PX = 0.3, 4.0
SQUARE = np.ones((3, 3), np.uint8)  # a pixel or cell and its eight neighbours


@dataclass(frozen=True)
class Footprints:
    """The bodies of b scenes where they were seen, and which pixels show them."""

    bodies: Bodies
    positions: Complex[Tensor, "b k"]
    """Of the bodies, x + iy in metres."""
    labels: Int[Tensor, "b h w"]
    """Index of the body that a pixel shows; -1 for none."""
    parallax: Complex[Tensor, "b h w"]
    """From the ground under what a pixel shows to where it is seen on the calibrated plane, x + iy
    in metres."""

    def to(self, device: torch.device) -> "Footprints":
        """Return the footprints on a device."""
        return Footprints(
            self.bodies.to(device),
            self.positions.to(device),
            self.labels.to(device),
            self.parallax.to(device),
        )


class BirdsEyeView:
    """Maps one camera's frames to the table seen from above.

    Args:
        homography: From (row, col, 1) to the robot's (x, y, 1), see `env_info.Homography`.
        frame_size: Height and width in pixels.
        pixel_m: Side of the square on the table that a pixel in the middle of the frame shows.
    """

    def __init__(
        self, homography: Float[np.ndarray, "3 3"], frame_size: tuple[int, int], pixel_m: float
    ) -> None:
        self.frame_size = frame_size
        self.cell_m = pixel_m / CELLS_PER_PIXEL
        self.patch_cells = max(int(np.ceil(PATCH_M / self.cell_m)), PATCH_CELLS)
        self.camera = camera_of(homography, frame_size)
        pixels = np.moveaxis(np.mgrid[: frame_size[0], : frame_size[1]], 0, -1)
        self.pixel_positions = apply_homography(pixels.astype(float), homography)
        self._corner = self.pixel_positions.reshape(-1, 2).min(0)
        largest = max(TABLE_M, TABLE_CELLS * self.cell_m)
        extent = self.pixel_positions.reshape(-1, 2).max(0) - self._corner
        self._grid_size = np.ceil(np.minimum(extent, largest) / self.cell_m).astype(int)
        heights = np.linspace(LOWEST_M, HIGHEST_M, NUM_HEIGHTS)
        self._pixels_above = self._project(heights, np.linalg.inv(homography))
        grounds = np.stack(
            [self._ground_under(self.pixel_positions, height) for height in heights[::-1]]
        )
        # Of each pixel, the parallax and the cell of the table under it, highest point first.
        self._parallax = (self.pixel_positions - grounds).astype(np.float32)
        cells = np.floor((grounds - self._corner) / self.cell_m).astype(int)
        cells = cells.clip(0, self._grid_size - 1)
        self._cells_under = cells[..., 0] * self._grid_size[1] + cells[..., 1]

    def _project(
        self, heights: Float[np.ndarray, " z"], to_frame: Float[np.ndarray, "3 3"]
    ) -> list[Float32[np.ndarray, "x y 2"]]:
        """Return where in the frame, (col, row), a point over each cell is seen, per height."""
        indices = np.moveaxis(np.mgrid[: self._grid_size[0], : self._grid_size[1]], 0, -1)
        cells = self._corner + (indices + 0.5) * self.cell_m
        found = []
        for height in heights:
            # The ray from the camera through the point meets the calibrated plane there.
            seen = cells + (cells - self.camera[:2]) * (height / (self.camera[2] - height))
            found.append(apply_homography(seen, to_frame)[..., ::-1].astype(np.float32))
        return found

    def _ground_under(
        self, seen: Float[np.ndarray, "*b 2"], height: float
    ) -> Float[np.ndarray, "*b 2"]:
        """Return the ground under points of this height that are seen at places of the plane."""
        return seen + (self.camera[:2] - seen) * (height / self.camera[2])

    def find_bodies(
        self,
        opacity: Float32[np.ndarray, "b h w"],
        border: Float32[np.ndarray, "b h w"] | None = None,
    ) -> Footprints:
        """Find the bodies of scenes.

        Args:
            opacity: How much of each pixel shows an object, from 0 to 1.
            border: Probability that a pixel lies between two objects that touch; None for 0.
        """
        border = np.zeros_like(opacity) if border is None else border
        scenes = [self._find(*each) for each in zip(opacity, border, strict=True)]
        return _batch(scenes, self.cell_m, self.patch_cells)

    def _find(
        self, opacity: Float32[np.ndarray, "h w"], border: Float32[np.ndarray, "h w"]
    ) -> "_Scene":
        """Find the bodies of one scene, the largest first."""
        if not (opacity > LEAST_OPACITY).any():
            nowhere = np.zeros((*opacity.shape, 2), np.float32)
            return _Scene(np.zeros((0, 2)), [], np.full(opacity.shape, -1), nowhere)
        labels, areas, centres = self._footprints(opacity, _segments(opacity, border))
        side = self.patch_cells
        padded = np.pad(labels, side)
        corners = [np.round(centre - (side - 1) / 2).astype(int) for centre in centres]
        patches = [
            padded[row + side : row + 2 * side, col + side : col + 2 * side] == number
            for number, (row, col) in enumerate(corners, 1)
        ]
        # A footprint so large and bent that its own patch shows none of it is no body.
        candidates = [i for i, patch in enumerate(patches) if patch.any()]
        chosen = sorted(candidates, key=lambda i: -areas[i])[:MAX_BODIES]
        index_of = np.full(len(areas) + 1, -1, np.int32)
        index_of[[i + 1 for i in chosen]] = np.arange(len(chosen))
        positions = [self._corner + (corners[i] + side / 2) * self.cell_m for i in chosen]
        shapes = [_shape(patches[i], self.cell_m) for i in chosen]
        pixel_labels, parallax = self._label_pixels(index_of[labels], opacity)
        return _Scene(np.array(positions).reshape(-1, 2), shapes, pixel_labels, parallax)

    def _footprints(
        self, opacity: Float32[np.ndarray, "h w"], segments: Int[np.ndarray, "h w"]
    ) -> tuple[Int[np.ndarray, "x y"], list[int], list[Float[np.ndarray, "2"]]]:
        """Label the cells of the table that objects stand on.

        Returns:
            The labels, from 1 on, 0 for none; and the footprints' areas and centroids, in cells.
        """
        columns = [cv2.remap(opacity, at, None, cv2.INTER_LINEAR) for at in self._pixels_above]
        occupied = np.min(columns, 0) > 0.5
        # Tops are hidden least by other objects: a cell is of the highest segment seen over it.
        tops = np.zeros(occupied.shape, np.float32)
        for at in self._pixels_above:
            seen = cv2.remap(segments.astype(np.float32), at, None, cv2.INTER_NEAREST)
            tops = np.where(seen > 0, seen, tops)
        labels = np.zeros(occupied.shape, np.int32)
        areas: list[int] = []
        centroids: list[Float[np.ndarray, "2"]] = []
        for segment in range(1, segments.max() + 1):
            mask = self._without_holes(occupied & (tops == segment))
            mask *= (labels == 0).astype(np.uint8)
            count, parts, stats, middles = cv2.connectedComponentsWithStats(
                mask, connectivity=4
            )
            for part in range(1, count):
                area = int(stats[part, cv2.CC_STAT_AREA])
                if area * self.cell_m**2 >= SMALLEST_M2:
                    areas.append(area)
                    centroids.append(middles[part][::-1])
                    labels[parts == part] = len(areas)
        return labels, areas, centroids

    def _without_holes(self, mask: Bool[np.ndarray, "x y"]) -> UInt8[np.ndarray, "x y"]:
        """Return a mask with its small holes filled, where an object looks like the table."""
        _, holes, stats, _ = cv2.connectedComponentsWithStats(
            (~mask).astype(np.uint8), connectivity=4
        )
        small = stats[:, cv2.CC_STAT_AREA] * self.cell_m**2 < LARGEST_HOLE_M2
        return (mask | small[holes]).astype(np.uint8)

    def _label_pixels(
        self, footprints: Int[np.ndarray, "x y"], opacity: Float32[np.ndarray, "h w"]
    ) -> tuple[Int[np.ndarray, "h w"], Float32[np.ndarray, "h w 2"]]:
        """Return the body that each pixel shows (-1 for none), and the pixel's parallax.

        A pixel shows the body on whose footprint it stands at the greatest height, also where it
        looks like the table. An opaque pixel may stand one cell beside the footprint.
        """
        widened = cv2.dilate((footprints + 1).astype(np.uint8), SQUARE).astype(np.int32) - 1
        inside = footprints.ravel()[self._cells_under]
        beside = widened.ravel()[self._cells_under]
        beside[:, opacity <= 0] = -1
        found = np.concatenate([inside, beside])
        first = (found >= 0).argmax(0)
        labels = np.take_along_axis(found, first[None], 0)[0]
        height = (first % NUM_HEIGHTS)[None, ..., None]
        return labels, np.take_along_axis(self._parallax, height, 0)[0]


@dataclass(frozen=True)
class _Shape:
    """One body in its own frame, as in `Bodies`."""

    distance: Float32[np.ndarray, "g g"]
    outline: Float32[np.ndarray, "m 2"]
    spread: float
    gyration: float


@dataclass(frozen=True)
class _Scene:
    """The bodies of one scene, as in `Footprints`."""

    positions: Float[np.ndarray, "k 2"]
    shapes: list[_Shape]
    labels: Int[np.ndarray, "h w"]
    parallax: Float32[np.ndarray, "h w 2"]


def _segments(
    opacity: Float32[np.ndarray, "h w"], border: Float32[np.ndarray, "h w"]
) -> Int[np.ndarray, "h w"]:
    """Label the objects of an image, from 1 on.

    These are connected components without their borders, and the pixels that are near to them.
    """
    core = ((opacity > 0.5) & (border < BORDER)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=4)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < SMALLEST_PX:
            labels[labels == label] = 0
    if not labels.any():
        return labels
    distance_px, nearest = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    label_of = np.zeros(nearest.max() + 1, np.int32)
    label_of[nearest[labels > 0]] = labels[labels > 0]
    joins = (opacity > LEAST_OPACITY) & (distance_px < MAX_REACH_PX)
    return np.where(joins, label_of[nearest], 0)


def _shape(patch: Bool[np.ndarray, "g g"], cell_m: float) -> _Shape:
    """Measure one body on its patch."""
    mask = patch.astype(np.uint8)
    middle = (len(patch) - 1) / 2
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    signed = np.where(mask > 0, 0.5 - inside, outside - 0.5)
    distance = cv2.GaussianBlur(signed, (0, 0), 0.7) * cell_m
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)[:, 0, ::-1]
    chosen = np.linspace(0, len(contour) - 1, OUTLINE_POINTS).astype(int)
    outline = (contour[chosen] - middle) * cell_m
    points = (np.argwhere(mask) - middle) * cell_m
    _, (length, width), _ = cv2.minAreaRect(contour.astype(np.float32))
    return _Shape(
        distance.astype(np.float32),
        outline.astype(np.float32),
        spread=float(np.linalg.norm(points, axis=1).mean()),
        gyration=float(np.hypot(length + 1, width + 1) / np.sqrt(12) * cell_m),
    )


def _batch(scenes: list[_Scene], cell_m: float, patch_cells: int) -> Footprints:
    """Put scenes with different numbers of bodies together."""
    size = (len(scenes), max(len(scene.shapes) for scene in scenes))
    distance = np.ones((*size, patch_cells, patch_cells), np.float32)
    outline = np.zeros((*size, OUTLINE_POINTS, 2), np.float32)
    spread = np.full(size, 0.03, np.float32)
    gyration = np.full(size, 0.03, np.float32)
    present = np.zeros(size, bool)
    positions = np.zeros((*size, 2), np.float32)
    for b, scene in enumerate(scenes):
        positions[b, : len(scene.positions)] = scene.positions
        present[b, : len(scene.shapes)] = True
        for k, shape in enumerate(scene.shapes):
            distance[b, k] = shape.distance
            outline[b, k] = shape.outline
            spread[b, k] = max(shape.spread, cell_m)
            gyration[b, k] = max(shape.gyration, cell_m)
    slope_x, slope_y = np.gradient(distance, cell_m, axis=(2, 3))
    steepness = np.maximum(np.hypot(slope_x, slope_y), 1e-6)
    field = np.stack([distance, slope_x / steepness, slope_y / steepness], 2)
    bodies = Bodies(
        torch.from_numpy(field.astype(np.float32)),
        patch_cells / 2 * cell_m,
        _complex(outline),
        torch.from_numpy(spread),
        torch.from_numpy(gyration),
        torch.from_numpy(present),
    )
    labels = torch.from_numpy(np.stack([scene.labels for scene in scenes]))
    parallax = _complex(np.stack([scene.parallax for scene in scenes]))
    return Footprints(bodies, _complex(positions), labels, parallax)


def _complex(vectors: Float32[np.ndarray, "*b 2"]) -> Complex[Tensor, "*b"]:
    """Return (x, y) as x + iy."""
    return as_complex(torch.from_numpy(vectors))


def inpaint(
    frames: Float32[np.ndarray, "b h w 3"],
    background: Float32[np.ndarray, "h w 3"],
    hidden: Bool[np.ndarray, "b h w"],
) -> Float32[np.ndarray, "b h w 3"]:
    """Return frames whose hidden pixels continue what is around them.

    What is inpainted is the difference to the background, in steps of 1/127.
    """
    hidden = hidden & (difference(frames, background) > SAME_COLOUR)
    differences = np.round((frames - background) * 127 + 128).clip(0, 255).astype(np.uint8)
    painted = np.stack(
        [
            cv2.inpaint(image, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
            for image, mask in zip(differences, hidden, strict=True)
        ]
    )
    continued = background + (painted.astype(np.float32) - 128) / 127
    return np.where(hidden[..., None], continued, frames).clip(0, 1).astype(np.float32)


def opacity_of(differences: Float32[np.ndarray, "*b h w"]) -> Float32[np.ndarray, "*b h w"]:
    """Return how much of each pixel shows an object (0 to 1), given how it differs."""
    opacity = (differences - TRANSPARENT) / (OPAQUE - TRANSPARENT)
    return np.asarray(opacity.clip(0, 1), np.float32)
