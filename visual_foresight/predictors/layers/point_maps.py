"""Pixel maps as points that carry mass and move by a forward flow."""

from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.warping import sample
from visual_foresight.vision.pixel_maps import expected_places, grid, shares

SAME_MAP = 1e-4  # largest difference of two maps that are equal but for rounding


@dataclass(frozen=True)
class Points:
    """Pixel maps as m points that carry mass. Moving them neither loses mass nor spreads it.

    If each map of a candidate stands for one place, each has one point. Otherwise its maps share
    their points: the centres of the cells in which any of them has mass.
    """

    places: Float[Tensor, "n m 2"]
    """(row, col) in frame pixels."""
    mass: Float[Tensor, "n p m"]
    """Of each map at each point."""

    @classmethod
    def of(
        cls, maps: Float[Tensor, "n p map_h map_w"], frame_size: tuple[int, int]
    ) -> "Points":
        """Return the points of pixel maps."""
        map_size = (maps.shape[-2], maps.shape[-1])
        mass = reduce(maps, "n p h w -> n p", "sum")
        means = expected_places(maps, frame_size) / mass.clamp(min=1e-9)[..., None]
        exact = cls(means, torch.diag_embed(mass))
        same = torch.isclose(exact.maps(map_size, frame_size), maps, atol=SAME_MAP)
        is_exact = same.flatten(1).all(1)
        if is_exact.all():
            return exact
        cells = cls._cells(maps, frame_size)
        count = max(exact.places.shape[1], cells.places.shape[1])
        exact = exact._padded(count)
        cells = cells._padded(count)
        choice = rearrange(is_exact, "n -> n 1 1")
        return cls(
            torch.where(choice, exact.places, cells.places),
            torch.where(choice, exact.mass, cells.mass),
        )

    @classmethod
    def _cells(
        cls, maps: Float[Tensor, "n p map_h map_w"], frame_size: tuple[int, int]
    ) -> "Points":
        """Return the centres of the cells in which any of a candidate's maps has mass."""
        occupied = (maps > 0).any(1).flatten(1)
        cells = occupied.int().topk(int(occupied.sum(1).max())).indices
        places = grid((maps.shape[-2], maps.shape[-1]), frame_size).to(maps).flatten(0, 1)
        return cls(
            places[cells],
            maps.flatten(2).gather(2, cells[:, None].expand(-1, maps.shape[1], -1)),
        )

    def _padded(self, count: int) -> "Points":
        """Return `count` points; those that are added have no mass."""
        missing = count - self.places.shape[1]
        return Points(
            functional.pad(self.places, (0, 0, 0, missing)),
            functional.pad(self.mass, (0, missing)),
        )

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

    def maps(
        self, map_size: tuple[int, int], frame_size: tuple[int, int]
    ) -> Float[Tensor, "n p {map_size[0]} {map_size[1]}"]:
        """Return pixel maps of the points: each is shared bilinearly by the cells around it."""
        rows = shares(self.places[..., 0], map_size[0], frame_size[0])
        cols = shares(self.places[..., 1], map_size[1], frame_size[1])
        with torch.autocast(rows.device.type, enabled=False):
            return (self.mass[..., None] * rows[:, None]).mT @ cols[:, None]

    def widened(self, count: int) -> "Points":
        """Return the points of one scene as those of each candidate."""
        return Points(widen(self.places, count), widen(self.mass, count))
