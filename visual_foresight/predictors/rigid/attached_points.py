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
    """m points of each of n candidates, each attached to a body or to the table."""

    points: Points
    label: Int[Tensor, "n m"]
    """Index of the body; -1 for the table."""
    local: Complex[Tensor, "n m"]
    """Ground under the point in the body's frame, x + iy in metres."""
    parallax: Complex[Tensor, "n m"]
    """From that ground to where the point is seen on the calibrated plane (see `Footprints`)."""

    @classmethod
    def attach(
        cls,
        points: Points,
        footprints: Footprints,
        poses: Poses,
        to_plane_homography: Float[Tensor, "3 3"],
        to_frame: Float[Tensor, "3 3"],
    ) -> "AttachedPoints":
        """Attach each point to the body that its pixel shows, or that a pixel beside it shows.

        A designated pixel at the edge of an object is meant to be on the object.

        Args:
            points: The points now.
            footprints: The bodies when they were seen, of one scene or n.
            poses: The bodies' poses now.
            to_plane_homography: From (row, col, 1) to the robot's (x, y, 1).
            to_frame: Its inverse.
        """
        count = max(len(points.places), len(poses.position))
        points = points.widened(count)
        height, width = footprints.labels.shape[1:]
        position = widen(poses.position, count)
        inverse_heading = widen(heading(-poses.angle), count)
        first_position = widen(footprints.positions, count)
        pixel_labels, pixel_parallax = _dilated(footprints)
        pixel_labels = widen(pixel_labels, count).flatten(1)
        pixel_parallax = widen(pixel_parallax, count).flatten(1)
        seen = to_plane(points.places, to_plane_homography)
        label = torch.full(seen.shape, -1, device=seen.device)
        local = torch.zeros_like(seen)
        parallax = torch.zeros_like(seen)
        for k in range(position.shape[1]):
            # The pixel that showed the point when body k was first seen, if the body had moved it
            # as a picture on the calibrated plane.
            offset = seen - position[:, k, None]
            first_seen = offset * inverse_heading[:, k, None] + first_position[:, k, None]
            rows, cols = to_pixel(first_seen, to_frame).round().unbind(-1)
            pixel = (rows.clamp(0, height - 1) * width + cols.clamp(0, width - 1)).long()
            on_body = (pixel_labels.gather(1, pixel) == k) & (label < 0)
            shift = pixel_parallax.gather(1, pixel)
            label = torch.where(on_body, k, label)
            parallax = torch.where(on_body, shift, parallax)
            local = torch.where(on_body, (offset - shift) * inverse_heading[:, k, None], local)
        return cls(points, label, local, parallax)

    def widened(self, count: int) -> "AttachedPoints":
        """Return the points of one scene as those of each candidate."""
        return AttachedPoints(
            self.points.widened(count),
            widen(self.label, count),
            widen(self.local, count),
            widen(self.parallax, count),
        )

    def moved(
        self, poses: Poses, to_frame: Float[Tensor, "3 3"], frame_size: tuple[int, int]
    ) -> "AttachedPoints":
        """Return the points after their bodies have moved; they stay within the frame."""
        index = self.label.clamp(min=0)
        position = poses.position.gather(1, index)
        angle = poses.angle.gather(1, index)
        seen = position + self.local * heading(angle) + self.parallax
        pixels = to_pixel(seen, to_frame).clamp(min=0)
        pixels = pixels.minimum(pixels.new_tensor(frame_size) - 1)
        places = torch.where((self.label >= 0)[..., None], pixels, self.points.places)
        return replace(self, points=Points(places, self.points.mass))


def _dilated(footprints: Footprints) -> tuple[Int[Tensor, "b h w"], Complex[Tensor, "b h w"]]:
    """Return labels and parallaxes; a pixel that shows no body takes those of a neighbour."""
    labels = footprints.labels.flatten(1)
    parallax = footprints.parallax.flatten(1)
    channels = rearrange(footprints.labels, "b h w -> b 1 h w").float()
    _, neighbour = functional.max_pool2d(channels, 3, stride=1, padding=1, return_indices=True)
    itself = torch.arange(labels.shape[1], device=labels.device).expand_as(labels)
    source = torch.where(labels < 0, neighbour.flatten(1), itself)
    shape = footprints.labels.shape
    return labels.gather(1, source).view(shape), parallax.gather(1, source).view(shape)
