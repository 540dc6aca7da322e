"""A step seen from the fingertip: a window on the table that follows it and is turned along its
way, and what moves in it.

A spatial transformer (Jaderberg et al. 2015) whose parameters are known, since the robot's
state and the camera are: every push looks alike, whatever its place and direction, and so does
its mirror image. Everything that the window does not reach rests.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from visual_foresight.predictors.layers.warping import sample

CELLS = 28  # rows and columns of the window


@dataclass(frozen=True)
class Axes:
    """A grid of cells around a middle, each one step along and one across from the next."""

    middle: Float[Tensor, "n 2"]
    along: Float[Tensor, "n 2"]
    """From a row of cells to the next."""
    across: Float[Tensor, "n 2"]
    """From a column of cells to the next."""

    def cells(self) -> Float[Tensor, "n y x 2"]:
        """Return where the middles of the cells are."""
        offsets = torch.arange(CELLS, device=self.middle.device) - (CELLS - 1) / 2
        ahead, aside = offsets[:, None, None], offsets[None, :, None]
        middle, along, across = (
            rearrange(vector, "n two -> n 1 1 two")
            for vector in (self.middle, self.along, self.across)
        )
        return middle + ahead * along + aside * across

    def inverse(self) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n 2"]]:
        """Return what a displacement is to be multiplied with to know how many cells it goes along, and across."""
        area = _cross(self.along, self.across)[:, None]
        return -_turned(self.across) / area, _turned(self.along) / area


@dataclass(frozen=True)
class EgocentricWindow:
    """Where a step is looked at.

    Square cells of the table around the middle of the fingertip's way, whose rows follow it.
    """

    on_table: Axes
    """(x, y) as in the robot's state."""
    in_frame: Axes
    """(row, col) in pixels: as the camera sees the table around the window's middle."""

    @classmethod
    def between(
        cls,
        here: Float[Tensor, "n 2"],
        there: Float[Tensor, "n 2"],
        spacing: float,
        to_frame: Float[Tensor, "3 3"],
        mirrored: Bool[Tensor, " n"] | None = None,
    ) -> "EgocentricWindow":
        """Return the window of a step of the fingertip.

        Args:
            here: (x, y) of the fingertip before.
            there: (x, y) of the fingertip afterwards.
            spacing: Between cells, in the unit of x and y.
            to_frame: Homography from (x, y, 1) to (row, col, 1).
            mirrored: Whose columns run the other way.
        """
        nudge = here.new_tensor([1e-3 * spacing, 0.0])  # who stays looks ahead
        along = functional.normalize(there - here + nudge, dim=-1) * spacing
        across = _turned(along)
        if mirrored is not None:
            across = torch.where(mirrored[:, None], -across, across)
        on_table = Axes((here + there) / 2, along, across)
        scaled = functional.pad(on_table.middle, (0, 1), value=1.0) @ to_frame.T
        scale, middle = scaled[:, 2:], scaled[:, :2] / scaled[:, 2:]
        # The homography's derivative: a window is small beside the camera's distance, and is
        # seen as a parallelogram.
        seen = (
            (vector @ to_frame[:2, :2].T - middle * (vector @ to_frame[2, :2])[:, None]) / scale
            for vector in (along, across)
        )
        return cls(on_table, Axes(middle, *seen))

    def fields(
        self, flows: Float[Tensor, "n 4 y x"], side: int, frame_size: tuple[int, int]
    ) -> "Fields":
        """Bring the forward and the backward flow from the window's cells to an upright square
        of pixels.

        Args:
            flows: (along, across) each, in cells.
            side: Of the square, in pixels; what it does not reach, or the window, rests.
            frame_size: Height and width of the frame, in pixels.
        """
        axes = self.in_frame
        corner, span = _square(axes.middle, side, frame_size)
        # (along, across) becomes (down, right) where there are fewest numbers: at the cells
        turn = rearrange(torch.stack([axes.along, axes.across], -1), "n two k -> n 1 two k 1 1")
        turned = (turn * rearrange(flows, "n (flow k) y x -> n flow 1 k y x", k=2)).unbind(3)
        turned_flows = rearrange(turned[0] + turned[1], "n flow two y x -> n (flow two) y x")
        rows, cols = _lines(corner, span)
        down, right = rows - axes.middle[:, :1], cols - axes.middle[:, 1:]
        ahead, aside = axes.inverse()
        places = torch.stack(
            [
                (down * to[:, :1])[:, :, None] + (right * to[:, 1:])[:, None]
                for to in (vector * (2 / CELLS) for vector in (aside, ahead))
            ],
            -1,
        )
        read = functional.grid_sample(turned_flows, places, align_corners=False)
        read = read * functional.pad(read.new_ones(span[0] - 2, span[1] - 2), (1, 1, 1, 1))
        return Fields(corner, read[:, :2], read[:, 2:], frame_size)


@dataclass(frozen=True)
class Fields:
    """What moves in a step: flows (down, right) in pixels, on a square of pixels whose border rests."""

    corner: Float[Tensor, "n 2"]
    """(row, col) of the square's first pixel."""
    forward: Float[Tensor, "n 2 y x"]
    """What is at x now goes to x + forward(x)."""
    backward: Float[Tensor, "n 2 y x"]
    """What is at x afterwards was at x + backward(x)."""
    frame_size: tuple[int, int]

    def steps(self, places: Float[Tensor, "n m 2"]) -> Float[Tensor, "n m 2"]:
        """Return how far what is at these places goes."""
        inside = places - self.corner[:, None]
        size = (self.forward.shape[-2], self.forward.shape[-1])
        read = sample(self.forward, inside[:, :, None], size, "zeros")
        return rearrange(read, "n two m 1 -> n m two")

    def bring(self, origin: Float[Tensor, "n 2 hf wf"]) -> Float[Tensor, "n 2 hf wf"]:
        """Return where everything came from, after what came to each pixel of the square has come."""
        rows, cols = self._pixels()
        sources = torch.stack(
            [self.backward[:, 0] + rows[:, :, None], self.backward[:, 1] + cols[:, None]], -1
        )
        return self._put(origin, sample(origin, sources, self.frame_size))

    def dense(self) -> Float[Tensor, "n 4 hf wf"]:
        """Return the forward and the backward flow on the whole frame."""
        flows = torch.cat([self.forward, self.backward], 1)
        return self._put(flows.new_zeros(*flows.shape[:2], *self.frame_size), flows)

    def _pixels(self) -> tuple[Float[Tensor, "n y"], Float[Tensor, "n x"]]:
        """Return the rows and the columns of the square's pixels."""
        return _lines(self.corner, (self.forward.shape[-2], self.forward.shape[-1]))

    def _put(
        self, images: Float[Tensor, "n c hf wf"], square: Float[Tensor, "n c y x"]
    ) -> Float[Tensor, "n c hf wf"]:
        rows, cols = (numbers.round().long() for numbers in self._pixels())
        index = (rows[:, :, None] * self.frame_size[1] + cols[:, None]).flatten(1)
        index = index[:, None].expand(-1, images.shape[1], -1)
        return images.flatten(2).scatter(2, index, square.flatten(2)).view_as(images)


def _turned(vector: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """Return vectors after a quarter turn."""
    first, second = vector.unbind(-1)
    return torch.stack([-second, first], -1)


def _cross(one: Float[Tensor, "n 2"], two: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
    """Return the area between two vectors, negative where the second is to the left of the first."""
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def _lines(
    corner: Float[Tensor, "n 2"], span: tuple[int, int]
) -> tuple[Float[Tensor, "n y"], Float[Tensor, "n x"]]:
    """Return the rows and the columns of a square's pixels."""
    rows, cols = (
        corner[:, axis, None] + torch.arange(span[axis]).to(corner) for axis in (0, 1)
    )
    return rows, cols


def _square(
    middle: Float[Tensor, "n 2"], side: int, frame_size: tuple[int, int]
) -> tuple[Float[Tensor, "n 2"], tuple[int, int]]:
    """Return the first pixel of the upright square around a place, inside the frame, and its rows and columns."""
    span = (min(side, frame_size[0]), min(side, frame_size[1]))
    room = middle.new_tensor([frame_size[0] - span[0], frame_size[1] - span[1]])
    return (middle - (middle.new_tensor(span) - 1) / 2).round().clamp(min=0).minimum(room), span
