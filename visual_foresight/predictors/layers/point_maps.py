"""Pixel maps as points that carry mass and move by a forward flow."""

from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.warping import sample
from visual_foresight.vision.pixel_maps import (
    expected_places,
    first_maps,
    map_size_of,
    shares,
)


@dataclass(frozen=True)
class Points:
    """Pixel maps as m points that carry mass. Moving them neither loses mass nor spreads it.

    All maps of a candidate share its points.
    """

    places: Float[Tensor, "n m 2"]
    """(row, col) in frame pixels."""
    mass: Float[Tensor, "n p m"]
    """Of each map at each point."""

    @classmethod
    def at(cls, places: Float[Tensor, "n p 2"], frame_size: tuple[int, int]) -> "Points":
        """Return a point for each designated place (row, col), as its first pixel map shows it.

        A place beyond the centres of the outermost cells is taken to be there.
        """
        maps = first_maps(places, frame_size)
        mass = reduce(maps, "n p h w -> n p", "sum")
        means = expected_places(maps, frame_size) / mass[..., None]
        return cls(means, torch.diag_embed(mass))

    def moved(self, flow: Float[Tensor, "n 2 h w"], frame_size: tuple[int, int]) -> "Points":
        """Return the points after a forward flow; they stay within the frame.

        A point at x moves to x + flow(x), (row, col) in frame pixels.
        """
        if not self.places.shape[1]:
            return self
        steps = sample(flow, self.places[:, :, None], frame_size)
        return self.shifted(rearrange(steps, "n two m 1 -> n m two"), frame_size)

    def shifted(self, steps: Float[Tensor, "n m 2"], frame_size: tuple[int, int]) -> "Points":
        """Return the points after steps of their own; they stay within the frame.

        Steps are (down, right), in frame pixels.
        """
        places = self.places + steps
        return Points(places.clamp(min=0).minimum(places.new_tensor(frame_size) - 1), self.mass)

    def maps(self, frame_size: tuple[int, int]) -> Float[Tensor, "n p _map_h _map_w"]:
        """Return pixel maps of the points: each is shared bilinearly by the cells around it."""
        map_size = map_size_of(frame_size)
        rows = shares(self.places[..., 0], map_size[0], frame_size[0])
        cols = shares(self.places[..., 1], map_size[1], frame_size[1])
        with torch.autocast(rows.device.type, enabled=False):
            return (self.mass[..., None] * rows[:, None]).mT @ cols[:, None]

    def widened(self, count: int) -> "Points":
        """Return the points of one scene as those of each candidate."""
        return Points(widen(self.places, count), widen(self.mass, count))
