"""A step seen from the fingertip: a window that follows it and is turned along its way, and what moves in it.

A spatial transformer (Jaderberg et al. 2015) whose parameters are known, since the robot's state and the camera are: every push
looks alike, whatever its place and direction. Everything that the window does not reach rests.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visual_foresight.pixel_maps import grid
from visual_foresight.predictors.motion import sample

CELLS = 28  # rows and columns of the window
SPAN = 32  # side, in cells, of the upright square in which things can move; what the turned window does not reach there rests


@dataclass(frozen=True)
class Window:
    """Where a step is looked at: cells around the middle of the fingertip's way, whose rows follow it."""

    middle: Float[Tensor, "n 2"]
    along: Float[Tensor, "n 2"]
    """Of length 1; across is a quarter turn from it."""
    spacing_px: float
    """Between cells."""

    @classmethod
    def between(cls, here: Float[Tensor, "n 2"], there: Float[Tensor, "n 2"], spacing_px: float) -> "Window":
        """Return the window of a step of the fingertip, from (row, col) to (row, col)."""
        nudge = here.new_tensor([1e-3, 0.0])  # who stays looks down
        return cls((here + there) / 2, functional.normalize(there - here + nudge, dim=-1), spacing_px)

    def cells(self) -> Float[Tensor, "n y x 2"]:
        """Return where the middles of the cells are in the frame."""
        offsets = (torch.arange(CELLS, device=self.middle.device) - (CELLS - 1) / 2) * self.spacing_px
        ahead, aside = offsets[:, None, None], offsets[None, :, None]
        middle, along, across = (
            rearrange(vector, "n two -> n 1 1 two") for vector in (self.middle, self.along, _turned(self.along))
        )
        return middle + ahead * along + aside * across

    def fields(self, flows: Float[Tensor, "n 4 y x"], frame_size: tuple[int, int]) -> "Fields":
        """Bring the forward and the backward flow from the window's cells, (along, across) each, to pixels."""
        pixels = _square(self.middle, round(SPAN * self.spacing_px), frame_size)
        middle, along, across = (
            rearrange(vector, "n two -> n two 1 1") for vector in (self.middle, self.along, _turned(self.along))
        )
        offsets = pixels - middle
        turned = torch.stack([(offsets * across).sum(1), (offsets * along).sum(1)], -1) * (
            2 / (CELLS * self.spacing_px)
        )
        read = functional.grid_sample(flows, turned, align_corners=False)
        forth, back = (read[:, k : k + 1] * along + read[:, k + 1 : k + 2] * across for k in (0, 2))
        inner = functional.pad(pixels.new_ones(pixels.shape[-2] - 2, pixels.shape[-1] - 2), (1, 1, 1, 1))
        return Fields(pixels, forth * inner, back * inner, frame_size)


@dataclass(frozen=True)
class Fields:
    """What moves in a step: flows (down, right) in pixels, on a square of pixels whose border rests."""

    pixels: Float[Tensor, "n 2 y x"]
    """(row, col) of the square's."""
    forward: Float[Tensor, "n 2 y x"]
    """What is at x now goes to x + forward(x)."""
    backward: Float[Tensor, "n 2 y x"]
    """What is at x afterwards was at x + backward(x)."""
    frame_size: tuple[int, int]

    def steps(self, places: Float[Tensor, "n m 2"]) -> Float[Tensor, "n m 2"]:
        """Return how far what is at these places goes."""
        inside = places - self.pixels[:, None, :, 0, 0]
        size = (self.forward.shape[-2], self.forward.shape[-1])
        read = sample(self.forward, inside[:, :, None], size, "zeros")
        return rearrange(read, "n two m 1 -> n m two")

    def bring(self, origin: Float[Tensor, "n 2 hf wf"]) -> Float[Tensor, "n 2 hf wf"]:
        """Return where everything came from, after what came to each pixel of the square has come."""
        sources = rearrange(self.pixels + self.backward, "n two y x -> n y x two")
        return self._put(origin, sample(origin, sources, self.frame_size))

    def dense(self) -> Float[Tensor, "n 4 hf wf"]:
        """Return the forward and the backward flow on the whole frame."""
        flows = torch.cat([self.forward, self.backward], 1)
        return self._put(flows.new_zeros(*flows.shape[:2], *self.frame_size), flows)

    def _put(self, images: Float[Tensor, "n c hf wf"], square: Float[Tensor, "n c y x"]) -> Float[Tensor, "n c hf wf"]:
        rows, cols = self.pixels.round().long().unbind(1)
        index = (rows * self.frame_size[1] + cols).flatten(1)[:, None].expand(-1, images.shape[1], -1)
        return images.flatten(2).scatter(2, index, square.flatten(2)).view_as(images)


def _turned(vector: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """Return (down, right) after a quarter turn."""
    down, right = vector.unbind(-1)
    return torch.stack([-right, down], -1)


def _square(middle: Float[Tensor, "n 2"], side: int, frame_size: tuple[int, int]) -> Float[Tensor, "n 2 y x"]:
    """Return the pixels of the upright square around a place, inside the frame."""
    span = (min(side, frame_size[0]), min(side, frame_size[1]))
    room = middle.new_tensor([frame_size[0] - span[0], frame_size[1] - span[1]])
    corner = (middle - (middle.new_tensor(span) - 1) / 2).round().clamp(min=0).minimum(room)
    return rearrange(corner, "n two -> n two 1 1") + rearrange(grid(span, span).to(middle), "y x two -> two y x")
