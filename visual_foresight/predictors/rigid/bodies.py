"""From a picture to rigid bodies: what stands on a known empty table, seen as from above.

A place on the table is under a thing if all that would stand on it, up to a thing's height,
shows no table: so the sides that a camera sees of a thing are not taken for ground that it
covers. What hangs together is one body (OpenCV's connected components) unless a border parts
it. Colours that the arm hides are filled in from around it (Telea 2004, OpenCV).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Complex, Float, Float32, Int, UInt8
from torch import Tensor

from visual_foresight.predictors.rigid.contact_module import Bodies
from visual_foresight.vision.background import apart_from
from visual_foresight.vision.homography import apply_homography, camera_of

SAME = 0.04  # difference of a colour to the empty table up to which a pixel shows it
FAINT = 0.1  # from which on it shows a thing,
PLAIN = 0.3  # and from which on nothing else
# of what is seen of a thing, from the height for which the camera is calibrated
LOWEST_M, HIGHEST_M = -0.026, 0.008
HEIGHTS = 5
MAX_BODIES = 6
SMALLEST_M2 = 3e-4  # footprint of a body
LARGEST_HOLE_M2 = 1.5e-3  # of a hole in it: 2 or 3 pixels of a thing that look like the table
PATCH_M, TABLE_M = 0.173, 1.73  # sides of a body's patch and, at most, of the table,
PATCH, TABLE = 40, 400  # or so many cells, where that is more
# cells of the table a side, where a pixel in the middle of the frame is one
CELLS_PER_PIXEL = 2
RIM = 24
BORDER = 0.3  # probability from which on a pixel parts two things
SMALLEST_PX = 6  # pixels of a thing, without its borders,
FAINTEST, REACH_PX = 0.3, 4.0  # to which others belong if they show so much of a thing, so near


@dataclass(frozen=True)
class Footprints:
    """The bodies of b scenes, where they were seen, and which pixel shows which."""

    bodies: Bodies
    places: Complex[Tensor, "b k"]
    """Of their middles, x + iy in metres."""
    owner: Int[Tensor, "b h w"]
    """Number of the body that a pixel shows; -1 where there is none."""
    lean: Complex[Tensor, "b h w"]
    """From the ground on which what a pixel shows stands to where it seems to be, x + iy in
    metres on the calibrated plane."""

    def to(self, device: torch.device) -> "Footprints":
        """Return them on a device."""
        return Footprints(
            self.bodies.to(device),
            *(part.to(device) for part in (self.places, self.owner, self.lean)),
        )


class BirdsEyeView:
    """Looks at one camera's frames as from above.

    Args:
        homography: From (row, col, 1) to the robot's (x, y, 1), see `interfaces.Env.homography`.
        frame_size: Height and width in pixels.
        pixel_m: Side of the square on the table that a pixel in the middle of the frame shows.
    """

    def __init__(
        self, homography: Float[np.ndarray, "3 3"], frame_size: tuple[int, int], pixel_m: float
    ) -> None:
        self.frame_size, self.cell = frame_size, pixel_m / CELLS_PER_PIXEL
        rows, cols = np.mgrid[: frame_size[0], : frame_size[1]]
        self.seen_at = apply_homography(np.stack([rows, cols], -1).astype(float), homography)
        to_frame = np.linalg.inv(homography)
        self.low = self.seen_at.reshape(-1, 2).min(0)
        self.patch = max(int(np.ceil(PATCH_M / self.cell)), PATCH)
        widest = max(TABLE_M, TABLE * self.cell)
        extent = np.minimum(self.seen_at.reshape(-1, 2).max(0) - self.low, widest)
        self.shape = np.ceil(extent / self.cell).astype(int)
        self.camera = camera_of(homography, frame_size)
        cells = (
            self.low
            + (np.moveaxis(np.mgrid[: self.shape[0], : self.shape[1]], 0, -1) + 0.5) * self.cell
        )
        self.heights = np.linspace(LOWEST_M, HIGHEST_M, HEIGHTS)
        # Where in the frame, (col, row) for OpenCV, what stands on each cell is seen, per
        # height.
        self.columns = [
            apply_homography(self._leaning(cells, height), to_frame)[..., ::-1].astype(
                np.float32
            )
            for height in self.heights
        ]
        # Over which ground, and over which cell, what each pixel shows would be, from the
        # highest on.
        grounds = np.stack(
            [self._upright(self.seen_at, height) for height in self.heights[::-1]]
        )
        self.leans = (self.seen_at - grounds).astype(np.float32)
        spots = np.floor((grounds - self.low) / self.cell).astype(int).clip(0, self.shape - 1)
        self.cells = spots[..., 0] * self.shape[1] + spots[..., 1]

    def _leaning(
        self, ground: Float[np.ndarray, "*b 2"], height: float
    ) -> Float[np.ndarray, "*b 2"]:
        """Return where on the calibrated plane a point at this height over a place is seen."""
        aside, above = self.camera[:2], self.camera[2]
        return ground + (ground - aside) * (height / (above - height))

    def _upright(
        self, seen: Float[np.ndarray, "*b 2"], height: float
    ) -> Float[np.ndarray, "*b 2"]:
        """Return over which place a point of this height is that is seen on the calibrated plane there."""
        aside, above = self.camera[:2], self.camera[2]
        return seen + (aside - seen) * (height / above)

    def find_bodies(
        self,
        opacity: Float32[np.ndarray, "b h w"],
        border: Float32[np.ndarray, "b h w"] | None = None,
    ) -> Footprints:
        """Find the bodies in scenes, given how much of each pixel shows a thing, and where one touches another."""
        border = np.zeros_like(opacity) if border is None else border
        return _gathered(
            [self._one(*each) for each in zip(opacity, border, strict=True)],
            self.cell,
            self.patch,
        )

    def _one(
        self, opacity: Float32[np.ndarray, "h w"], border: Float32[np.ndarray, "h w"]
    ) -> "_Found":
        if not (opacity > FAINTEST).any():
            return _Found(
                np.zeros((0, 2)),
                [],
                np.full(opacity.shape, -1),
                np.zeros((*opacity.shape, 2), np.float32),
            )
        labels, areas, middles = self._parted(opacity, _pieces(opacity, border))
        side = self.patch
        corners = [np.round(middle - (side - 1) / 2).astype(int) for middle in middles]
        padded = np.pad(labels, side)
        patches = [
            padded[row + side : row + 2 * side, col + side : col + 2 * side] == number
            for number, (row, col) in enumerate(corners, 1)
        ]
        # What is so large and bent that nothing of it is near its middle is no body.
        chosen = sorted(
            (i for i, patch in enumerate(patches) if patch.any()), key=lambda i: -areas[i]
        )[:MAX_BODIES]
        numbers = np.full(len(areas) + 1, -1, np.int32)
        numbers[[i + 1 for i in chosen]] = np.arange(len(chosen))
        places = np.array(
            [self.low + (corners[i] + side / 2) * self.cell for i in chosen]
        ).reshape(-1, 2)
        owner, lean = self._owners(numbers[labels], opacity)
        return _Found(places, [_shape(patches[i], self.cell) for i in chosen], owner, lean)

    def _parted(
        self, opacity: Float32[np.ndarray, "h w"], pieces: Int[np.ndarray, "h w"]
    ) -> tuple[Int[np.ndarray, "x y"], list[int], list[Float[np.ndarray, "2"]]]:
        """Return which body stands on each cell of the table, from 1 on, and the bodies' areas and middles, in cells."""
        stand = (
            np.min(
                [cv2.remap(opacity, where, None, cv2.INTER_LINEAR) for where in self.columns], 0
            )
            > 0.5
        )
        # Tops hide least of one another: a cell is of what is seen highest above it.
        tops = np.zeros(stand.shape, np.float32)
        for where in self.columns:
            seen = cv2.remap(pieces.astype(np.float32), where, None, cv2.INTER_NEAREST)
            tops = np.where(seen > 0, seen, tops)
        labels, areas, middles = np.zeros(stand.shape, np.int32), [], []
        for piece in range(1, pieces.max() + 1):
            mask = self._whole(stand & (tops == piece)) * (labels == 0).astype(np.uint8)
            num, parts, stats, centroids = cv2.connectedComponentsWithStats(
                mask, connectivity=4
            )
            for part in range(1, num):
                if (area := stats[part, cv2.CC_STAT_AREA]) * self.cell**2 >= SMALLEST_M2:
                    areas.append(int(area))
                    middles.append(centroids[part][::-1])
                    labels[parts == part] = len(areas)
        return labels, areas, middles

    def _whole(self, mask: Bool[np.ndarray, "x y"]) -> UInt8[np.ndarray, "x y"]:
        """Return a mask without its small holes, where a thing looks like the table."""
        _, gaps, stats, _ = cv2.connectedComponentsWithStats(
            (~mask).astype(np.uint8), connectivity=4
        )
        small = stats[:, cv2.CC_STAT_AREA] * self.cell**2 < LARGEST_HOLE_M2
        return (mask | small[gaps]).astype(np.uint8)

    def _owners(
        self, labels: Int[np.ndarray, "x y"], opacity: Float32[np.ndarray, "h w"]
    ) -> tuple[Int[np.ndarray, "h w"], Float32[np.ndarray, "h w 2"]]:
        """Tell which body each pixel shows, and its lean at the greatest height at which it
        would stand on that body.

        What looks like the table in the middle of a thing is of that thing, too.
        """
        near = (
            cv2.dilate((labels + 1).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(
                np.int32
            )
            - 1
        )
        found = np.concatenate([each.ravel()[self.cells] for each in (labels, near)])
        found[HEIGHTS:, opacity <= 0] = -1
        first = (found >= 0).argmax(0)
        owner = np.take_along_axis(found, first[None], 0)[0]
        lean = np.take_along_axis(self.leans, (first % HEIGHTS)[None, ..., None], 0)[0]
        return owner, lean


@dataclass(frozen=True)
class _Shape:
    distance: Float32[np.ndarray, "g g"]
    rim: Float32[np.ndarray, "m 2"]
    spread: float
    gyration: float


@dataclass(frozen=True)
class _Found:
    places: Float[np.ndarray, "k 2"]
    shapes: list[_Shape]
    owner: Int[np.ndarray, "h w"]
    lean: Float32[np.ndarray, "h w 2"]


def _pieces(
    opacity: Float32[np.ndarray, "h w"], border: Float32[np.ndarray, "h w"]
) -> Int[np.ndarray, "h w"]:
    """Tell the things of a picture apart, from 1 on.

    What hangs together without its borders, and what is nearest to that.
    """
    num, labels, stats, _ = cv2.connectedComponentsWithStats(
        ((opacity > 0.5) & (border < BORDER)).astype(np.uint8), connectivity=4
    )
    for label in range(1, num):
        if stats[label, cv2.CC_STAT_AREA] < SMALLEST_PX:
            labels[labels == label] = 0
    if not labels.any():
        return labels
    distance, nearest = cv2.distanceTransformWithLabels(
        (labels == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    numbers = np.zeros(nearest.max() + 1, np.int32)
    numbers[nearest[labels > 0]] = labels[labels > 0]
    return np.where((opacity > FAINTEST) & (distance < REACH_PX), numbers[nearest], 0)


def _shape(patch: np.ndarray, cell: float) -> _Shape:
    """Measure one body on its patch."""
    mask, middle = patch.astype(np.uint8), (len(patch) - 1) / 2
    inside, outside = (cv2.distanceTransform(each, cv2.DIST_L2, 5) for each in (mask, 1 - mask))
    distance = (
        cv2.GaussianBlur(np.where(mask > 0, 0.5 - inside, outside - 0.5), (0, 0), 0.7) * cell
    )
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=len)[:, 0, ::-1]
    rim = (outline[np.linspace(0, len(outline) - 1, RIM).astype(int)] - middle) * cell
    points = (np.argwhere(mask) - middle) * cell
    _, sides, _ = cv2.minAreaRect(outline.astype(np.float32))
    gyration = float(np.hypot(sides[0] + 1, sides[1] + 1) / np.sqrt(12) * cell)
    return _Shape(
        distance.astype(np.float32),
        rim.astype(np.float32),
        float(np.linalg.norm(points, axis=1).mean()),
        gyration,
    )


def _gathered(found: list[_Found], cell: float, side: int) -> Footprints:
    """Bring scenes with different numbers of bodies together."""
    count = max(len(each.shapes) for each in found)
    size = (len(found), count)
    distance, rim = (
        np.ones((*size, side, side), np.float32),
        np.zeros((*size, RIM, 2), np.float32),
    )
    spread, gyration, present = (
        np.full(size, 0.03, np.float32),
        np.full(size, 0.03, np.float32),
        np.zeros(size, bool),
    )
    places = np.zeros((*size, 2), np.float32)
    for b, each in enumerate(found):
        places[b, : len(each.places)] = each.places
        for k, shape in enumerate(each.shapes):
            distance[b, k], rim[b, k] = shape.distance, shape.rim
            spread[b, k], gyration[b, k], present[b, k] = (
                max(shape.spread, cell),
                max(shape.gyration, cell),
                True,
            )
    slopes = np.gradient(distance, cell, axis=(2, 3))
    length = np.maximum(np.hypot(*slopes), 1e-6)
    field = np.stack([distance, slopes[0] / length, slopes[1] / length], 2).astype(np.float32)
    outlines = torch.complex(*torch.from_numpy(rim).unbind(-1))
    sizes = [torch.from_numpy(each) for each in (spread, gyration, present)]
    bodies = Bodies(torch.from_numpy(field), side / 2 * cell, outlines, *sizes)
    owner, lean = (
        torch.from_numpy(np.stack([getattr(each, name) for each in found]))
        for name in ("owner", "lean")
    )
    middles = torch.complex(*torch.from_numpy(places).unbind(-1))
    return Footprints(bodies, middles, owner, torch.complex(*lean.unbind(-1)))


def filled(
    frames: Float32[np.ndarray, "b h w 3"],
    empty: Float32[np.ndarray, "h w 3"],
    hidden: Bool[np.ndarray, "b h w"],
) -> Float32[np.ndarray, "b h w 3"]:
    """Return frames, filled in where they are hidden.

    As around it, in how they differ from the empty table.
    """
    hidden = hidden & (apart_from(frames, empty) > SAME)
    apart = np.round((frames - empty) * 127 + 128).clip(0, 255).astype(np.uint8)
    around = np.stack(
        [
            cv2.inpaint(each, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
            for each, mask in zip(apart, hidden, strict=True)
        ]
    )
    bare = np.where(hidden[..., None], empty + (around.astype(np.float32) - 128) / 127, frames)
    return bare.clip(0, 1).astype(np.float32)


def solid(apart: Float32[np.ndarray, "*b h w"]) -> Float32[np.ndarray, "*b h w"]:
    """Tell how much of each pixel shows a thing."""
    return np.asarray(((apart - FAINT) / (PLAIN - FAINT)).clip(0, 1), np.float32)
