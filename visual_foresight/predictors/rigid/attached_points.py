"""Pixel maps as points that bodies carry along."""

from dataclasses import dataclass, replace

import torch
from einops import rearrange
from jaxtyping import Complex, Float, Int
from torch import Tensor
from torch.nn import functional

from visual_foresight.predictors.layers.batching import widen
from visual_foresight.predictors.layers.point_maps import Points
from visual_foresight.predictors.rigid.bodies import Footprints
from visual_foresight.predictors.rigid.contact_module import Poses
from visual_foresight.vision.homography import heading, to_pixel, to_plane


@dataclass(frozen=True)
class AttachedPoints:
    """Points, each fixed to a body or to the table."""

    points: Points
    owner: Int[Tensor, "n m"]
    """Number of the body; -1 for the table."""
    local: Complex[Tensor, "n m"]
    """In the body's frame."""
    lean: Complex[Tensor, "n m"]
    """From where it stands to where it is seen."""

    @classmethod
    def of(
        cls,
        points: Points,
        seen: Footprints,
        poses: Poses,
        to_plane_homography: Float[Tensor, "3 3"],
        to_frame: Float[Tensor, "3 3"],
    ) -> "AttachedPoints":
        """Fix each point to the body that shows at the pixel from which its place has come, or
        beside it.

        Whoever designates a pixel at the edge of a thing means the thing.

        Args:
            points: Of n candidates, where bodies are by now.
            seen: The bodies when they were seen, of one scene or n.
            poses: Where they are by now.
            to_plane_homography: From (row, col, 1) to the robot's (x, y, 1).
            to_frame: Its inverse.
        """
        count, (height, width) = len(points.places), seen.owner.shape[1:]
        place, inverse_turn, starts = (
            widen(part, count) for part in (poses.place, heading(-poses.turn), seen.places)
        )
        there = to_plane(points.places, to_plane_homography)
        owner = torch.full(there.shape, -1, device=there.device)
        local, lean = torch.zeros_like(there), torch.zeros_like(there)
        owners, leans = (widen(part, count).flatten(1) for part in _grown(seen))
        for k in range(place.shape[1]):
            # As if the body had carried the picture with it; where the point stands follows
            # from its height there.
            offset = there - place[:, k, None]
            source = to_pixel(offset * inverse_turn[:, k, None] + starts[:, k, None], to_frame)
            rows, cols = source.round().unbind(-1)
            index = (rows.clamp(0, height - 1) * width + cols.clamp(0, width - 1)).long()
            mine, leaning = (owners.gather(1, index) == k) & (owner < 0), leans.gather(1, index)
            owner, lean = torch.where(mine, k, owner), torch.where(mine, leaning, lean)
            local = torch.where(mine, (offset - leaning) * inverse_turn[:, k, None], local)
        return cls(points, owner, local, lean)

    def moved(
        self, poses: Poses, to_frame: Float[Tensor, "3 3"], frame_size: tuple[int, int]
    ) -> "AttachedPoints":
        """Return the points where their bodies have brought them, but not off the frame."""
        index = self.owner.clamp(min=0)
        turn, place = poses.turn.gather(1, index), poses.place.gather(1, index)
        there = to_pixel(place + self.local * heading(turn) + self.lean, to_frame).clamp(min=0)
        there = there.minimum(there.new_tensor(frame_size) - 1)
        places = torch.where((self.owner >= 0)[..., None], there, self.points.places)
        return replace(self, points=Points(places, self.points.mass))


def _grown(seen: Footprints) -> tuple[Int[Tensor, "b h w"], Complex[Tensor, "b h w"]]:
    """Return owners and leans of bodies that show on a pixel more all round, where no other one does."""
    owners = rearrange(seen.owner, "b h w -> b 1 h w").float()
    beside = functional.max_pool2d(owners, 3, stride=1, padding=1, return_indices=True)[
        1
    ].flatten(1)
    here = torch.arange(beside.shape[1], device=beside.device).expand_as(beside)
    source = torch.where(seen.owner.flatten(1) < 0, beside, here)
    owner, lean = (
        part.flatten(1).gather(1, source).view_as(part) for part in (seen.owner, seen.lean)
    )
    return owner, lean
