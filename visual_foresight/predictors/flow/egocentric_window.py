"""A step seen from the fingertip: a window on the table that follows it, and what moves in it.

The window is turned along the fingertip's path. It is a spatial transformer (Jaderberg et al.
2015) whose parameters are known, since the robot's state and the camera are: every push looks
alike, whatever its place and direction, and so does its mirror image. What lies outside the
window rests.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from visual_foresight.predictors.layers.warping import differentiable, sample

CELLS = 28  # rows and columns of the window


@dataclass(frozen=True)
class Axes:
    """A grid of cells: its middle, and the vectors from one cell to the next."""

    middle: Float[Tensor, "n 2"]
    along: Float[Tensor, "n 2"]
    """From a row of cells to the next."""
    across: Float[Tensor, "n 2"]
    """From a column of cells to the next."""

    def cells(self) -> Float[Tensor, "n y x 2"]:
        """Return the places of the cells' centres."""
        offsets = torch.arange(CELLS, device=self.middle.device) - (CELLS - 1) / 2
        rows = offsets[:, None, None]
        cols = offsets[None, :, None]
        middle = rearrange(self.middle, "n two -> n 1 1 two")
        along = rearrange(self.along, "n two -> n 1 1 two")
        across = rearrange(self.across, "n two -> n 1 1 two")
        return middle + rows * along + cols * across

    def inverse(self) -> tuple[Float[Tensor, "n 2"], Float[Tensor, "n 2"]]:
        """Return the vectors whose dot products with a displacement count it in cells.

        The first one counts cells along, the second one cells across.
        """
        area = _cross(self.along, self.across)[:, None]
        return -_turned(self.across) / area, _turned(self.along) / area


@dataclass(frozen=True)
class EgocentricWindow:
    """Square cells of the table around the middle of a step, with rows across the step."""

    on_table: Axes
    """In (x, y), as in the robot's state."""
    in_frame: Axes
    """In (row, col), in pixels: as the camera sees the table around the window's middle."""

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
            spacing: From cell to cell, in the unit of x and y.
            to_frame: Homography from (x, y, 1) to (row, col, 1).
            mirrored: Which windows have their columns reversed.
        """
        # A fingertip that stays has a direction, too.
        nudge = here.new_tensor([1e-3 * spacing, 0.0])
        along = functional.normalize(there - here + nudge, dim=-1) * spacing
        across = _turned(along)
        if mirrored is not None:
            across = torch.where(mirrored[:, None], -across, across)
        on_table = Axes((here + there) / 2, along, across)
        scaled = functional.pad(on_table.middle, (0, 1), value=1.0) @ to_frame.T
        scale = scaled[:, 2:]
        middle = scaled[:, :2] / scale

        def seen(vector: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
            # The homography's derivative: the window is small beside the camera's distance, so
            # it is seen as a parallelogram.
            return (
                vector @ to_frame[:2, :2].T - middle * (vector @ to_frame[2, :2])[:, None]
            ) / scale

        return cls(on_table, Axes(middle, seen(along), seen(across)))

    def fields(
        self, flows: Float[Tensor, "n 4 y x"], side: int, frame_size: tuple[int, int]
    ) -> "FlowFields":
        """Resample the forward and the backward flow from the cells to an upright square.

        Args:
            flows: (along, across) each, in cells.
            side: Of the square, in pixels; nothing moves outside of it or of the window.
            frame_size: Height and width of the frame, in pixels.
        """
        axes = self.in_frame
        corner, span = _square(axes.middle, side, frame_size)
        # (along, across) becomes (down, right) where there are fewest numbers: at the cells.
        turn = rearrange(torch.stack([axes.along, axes.across], -1), "n two k -> n 1 two k 1 1")
        by_axis = turn * rearrange(flows, "n (flow k) y x -> n flow 1 k y x", k=2)
        along, across = by_axis.unbind(3)
        turned_flows = rearrange(along + across, "n flow two y x -> n (flow two) y x")
        rows, cols = _pixels(corner, span)
        down = rows - axes.middle[:, :1]
        right = cols - axes.middle[:, 1:]

        def normalised(inverse: Float[Tensor, "n 2"]) -> Float[Tensor, "n y x"]:
            # grid_sample counts from -1 to 1 across the window.
            inverse = inverse * (2 / CELLS)
            return (down * inverse[:, :1])[:, :, None] + (right * inverse[:, 1:])[:, None]

        inverse_along, inverse_across = axes.inverse()
        places = torch.stack([normalised(inverse_across), normalised(inverse_along)], -1)
        read = functional.grid_sample(
            turned_flows, differentiable(places, turned_flows), align_corners=False
        )
        inner = functional.pad(read.new_ones(span[0] - 2, span[1] - 2), (1, 1, 1, 1))
        read = read * inner
        return FlowFields(corner, read[:, :2], read[:, 2:], frame_size)


@dataclass(frozen=True)
class FlowFields:
    """The flows (down, right) of a step, in pixels, on a square of pixels whose border rests."""

    corner: Float[Tensor, "n 2"]
    """(row, col) of the square's first pixel."""
    forward: Float[Tensor, "n 2 y x"]
    """Forward flow: the content of x moves to x + forward(x)."""
    backward: Float[Tensor, "n 2 y x"]
    """Backward flow: the content of x afterwards comes from x + backward(x)."""
    frame_size: tuple[int, int]

    def displacements(self, places: Float[Tensor, "n m 2"]) -> Float[Tensor, "n m 2"]:
        """Return the forward flow at places (row, col) of the frame."""
        inside = places - self.corner[:, None]
        size = (self.forward.shape[-2], self.forward.shape[-1])
        read = sample(self.forward, inside[:, :, None], size, "zeros")
        return rearrange(read, "n two m 1 -> n m two")

    def warp(self, origin: Float[Tensor, "n 2 hf wf"]) -> Float[Tensor, "n 2 hf wf"]:
        """Return an origin map after the step: backward warping, inside the square."""
        rows, cols = self._square_pixels()
        source_rows = self.backward[:, 0] + rows[:, :, None]
        source_cols = self.backward[:, 1] + cols[:, None]
        sources = torch.stack([source_rows, source_cols], -1)
        return self._put(origin, sample(origin, sources, self.frame_size))

    def dense(self) -> Float[Tensor, "n 4 hf wf"]:
        """Return the forward and the backward flow on the whole frame."""
        flows = torch.cat([self.forward, self.backward], 1)
        return self._put(flows.new_zeros(*flows.shape[:2], *self.frame_size), flows)

    def _square_pixels(self) -> tuple[Float[Tensor, "n y"], Float[Tensor, "n x"]]:
        """Return the rows and the columns of the square's pixels."""
        return _pixels(self.corner, (self.forward.shape[-2], self.forward.shape[-1]))

    def _put(
        self, images: Float[Tensor, "n c hf wf"], square: Float[Tensor, "n c y x"]
    ) -> Float[Tensor, "n c hf wf"]:
        """Return the images with their square replaced."""
        rows, cols = self._square_pixels()
        rows = rows.round().long()
        cols = cols.round().long()
        index = (rows[:, :, None] * self.frame_size[1] + cols[:, None]).flatten(1)
        index = index[:, None].expand(-1, images.shape[1], -1)
        return images.flatten(2).scatter(2, index, square.flatten(2)).view_as(images)


def _turned(vector: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """Return vectors after a quarter turn."""
    first, second = vector.unbind(-1)
    return torch.stack([-second, first], -1)


def _cross(one: Float[Tensor, "n 2"], two: Float[Tensor, "n 2"]) -> Float[Tensor, " n"]:
    """Return the signed area between two vectors."""
    return one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]


def _pixels(
    corner: Float[Tensor, "n 2"], span: tuple[int, int]
) -> tuple[Float[Tensor, "n y"], Float[Tensor, "n x"]]:
    """Return the rows and the columns of the pixels of a square, given its first one."""
    rows = corner[:, 0, None] + torch.arange(span[0]).to(corner)
    cols = corner[:, 1, None] + torch.arange(span[1]).to(corner)
    return rows, cols


def _square(
    middle: Float[Tensor, "n 2"], side: int, frame_size: tuple[int, int]
) -> tuple[Float[Tensor, "n 2"], tuple[int, int]]:
    """Return the upright square around a place, inside the frame.

    Its first pixel, and its numbers of rows and columns.
    """
    span = (min(side, frame_size[0]), min(side, frame_size[1]))
    room = middle.new_tensor([frame_size[0] - span[0], frame_size[1] - span[1]])
    corner = (middle - (middle.new_tensor(span) - 1) / 2).round().clamp(min=0).minimum(room)
    return corner, span
