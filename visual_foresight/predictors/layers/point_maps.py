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

SAME_MAP = 1e-4  # two maps differ by rounding alone


@dataclass(frozen=True)
class Points:
    """Pixel maps as points that carry mass. However often they move, they neither lose it nor
    spread.

    A candidate's maps that each stand for one place are one point each. Else they share their
    points: the centres of the cells that had mass in any of them.
    """

    places: Float[Tensor, "n m 2"]
    """(row, col) in frame pixels."""
    mass: Float[Tensor, "n p m"]

    @classmethod
    def of(
        cls, maps: Float[Tensor, "n p map_h map_w"], frame_size: tuple[int, int]
    ) -> "Points":
        """Return the points of pixel maps."""
        mass = reduce(maps, "n p h w -> n p", "sum")
        means = expected_places(maps, frame_size) / mass.clamp(min=1e-9)[..., None]
        exact = cls(means, torch.diag_embed(mass))
        same = torch.isclose(
            exact.maps((maps.shape[-2], maps.shape[-1]), frame_size), maps, atol=SAME_MAP
        )
        single = same.flatten(1).all(1)
        if single.all():
            return exact
        cells = cls._cells(maps, frame_size)
        most = max(each.places.shape[1] for each in (exact, cells))
        pairs = zip(exact._padded(most), cells._padded(most), strict=True)
        return cls(
            *(
                torch.where(rearrange(single, "n -> n 1 1"), one, several)
                for one, several in pairs
            )
        )

    @classmethod
    def _cells(
        cls, maps: Float[Tensor, "n p map_h map_w"], frame_size: tuple[int, int]
    ) -> "Points":
        """Return the cells that have mass in any of a candidate's maps."""
        occupied = (maps > 0).any(1).flatten(1)
        cells = occupied.int().topk(int(occupied.sum(1).max())).indices
        places = grid((maps.shape[-2], maps.shape[-1]), frame_size).to(maps).flatten(0, 1)
        return cls(
            places[cells],
            maps.flatten(2).gather(2, cells[:, None].expand(-1, maps.shape[1], -1)),
        )

    def _padded(
        self, count: int
    ) -> tuple[Float[Tensor, "n {count} 2"], Float[Tensor, "n p {count}"]]:
        """Return places and mass of so many points; those that are added have no mass."""
        missing = count - self.places.shape[1]
        return functional.pad(self.places, (0, 0, 0, missing)), functional.pad(
            self.mass, (0, missing)
        )

    def moved(self, flow: Float[Tensor, "n 2 h w"], frame_size: tuple[int, int]) -> "Points":
        """Return the points after a forward flow.

        What is at x goes to x + flow(x), in frame pixels, but not off the frame.
        """
        if not self.places.shape[1]:
            return self
        steps = sample(flow, self.places[:, :, None], frame_size)
        return self.shifted(rearrange(steps, "n two m 1 -> n m two"), frame_size)

    def shifted(self, steps: Float[Tensor, "n m 2"], frame_size: tuple[int, int]) -> "Points":
        """Return the points after steps of their own, (down, right) in frame pixels, but not off the frame."""
        places = self.places + steps
        return Points(places.clamp(min=0).minimum(places.new_tensor(frame_size) - 1), self.mass)

    def maps(
        self, map_size: tuple[int, int], frame_size: tuple[int, int]
    ) -> Float[Tensor, "n p {map_size[0]} {map_size[1]}"]:
        """Draw the points on pixel maps: each is shared by the cells around it, bilinearly."""
        rows, cols = (
            shares(self.places[..., axis], cells, size)
            for axis, (cells, size) in enumerate(zip(map_size, frame_size, strict=True))
        )
        with torch.autocast(rows.device.type, enabled=False):
            return (self.mass[..., None] * rows[:, None]).mT @ cols[:, None]

    def widened(self, count: int) -> "Points":
        """Give every candidate points of its own."""
        return Points(widen(self.places, count), widen(self.mass, count))
