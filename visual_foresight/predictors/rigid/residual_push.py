"""What one action does to bodies: the prediction of mechanics, and a learnt correction.

Residual learning over the mechanics of pushing, as in Kloss, Schaal & Bohg, "Combining learned and
analytical models for predicting action effects from sensory data" (2017) and Ajay et al.,
"Augmenting Physical Simulators with Stochastic Neural Networks: Case Study of Planar Pushing and
Bouncing" (2018).
"""

from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from visual_foresight.predictors.rigid.contact_module import Bodies, ContactModule, Poses
from visual_foresight.vision.homography import heading

REACH_M = 0.01  # gap to the finger from which on the correction is 0
PATH_POINTS = 9  # points on the finger's path at which its gap to a body is measured
LENGTH_M = 0.02  # lengths are divided by this for the network
ANGLE = 0.3  # angles, in radians, are divided by this for the network
NUM_FEATURES = 5 + 1 + 2 * 6 + 2


@dataclass(frozen=True)
class Approach:
    """How the finger's path, straight and before anything moves, meets each body."""

    path: Complex[Tensor, "n 1"]
    """From its start to its commanded end, in metres."""
    first_gap: Float[Tensor, "n k"]
    """Gap between fingertip and body at the start, in metres; negative inside."""
    least_gap: Float[Tensor, "n k"]
    """Smallest gap along the path."""
    touch: Float[Tensor, "n k"]
    """Share of the path at which the finger first touches the body; 1 if it never does."""
    normal: Complex[Tensor, "n k"]
    """Of the body's surface where the finger first touches it, or else is nearest."""
    arm: Complex[Tensor, "n k"]
    """From the body's position to the fingertip there, in metres."""


class ResidualPush(nn.Module):
    """Moves bodies by one action; b is 1 or n, the number of candidates."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.contact = ContactModule()
        self.trunk = nn.Sequential(
            nn.Linear(NUM_FEATURES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.error = nn.Linear(width, 3, bias=False)
        nn.init.zeros_(self.error.weight)  # an untrained network corrects nothing

    def forward(
        self,
        bodies: Bodies,
        poses: Poses,
        previous_displacement: Complex[Tensor, " n"],
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Return the bodies' poses after an action, and where the fingertip gets to.

        The network sees lengths and directions relative to the finger's path, so its correction
        turns with the push. It is made symmetric, so that a mirrored push has the mirrored effect.

        Args:
            bodies: The bodies' shapes.
            poses: Before the action.
            previous_displacement: Of the fingertip in the action before, x + iy in metres.
            before: Where the fingertip is, x + iy in metres.
            after: Where it is commanded to go.
        """
        predicted, reached = self._mechanics(bodies, poses, before, after)
        approach = self._approach(bodies, poses, before, after)
        path_length = approach.path.abs()
        direction = approach.path / path_length.clamp(min=1e-6)
        lengths = torch.stack(
            torch.broadcast_tensors(
                bodies.spread,
                bodies.gyration,
                approach.first_gap,
                approach.least_gap,
                path_length,
            ),
            -1,
        )
        vectors = torch.stack(
            torch.broadcast_tensors(
                predicted.position - poses.position,
                poses.velocity,
                previous_displacement[:, None],
                (after - reached)[:, None],
                approach.arm,
                LENGTH_M * approach.normal,
            ),
            -1,
        )
        relative = torch.view_as_real(vectors * direction.conj()[..., None]) / LENGTH_M
        turns = torch.stack([predicted.angle - poses.angle, poses.spin], -1) / ANGLE
        # A mirror image has the same even features and the odd features negated.
        even = torch.cat([lengths / LENGTH_M, approach.touch[..., None], relative[..., 0]], -1)
        odd = torch.cat([relative[..., 1], turns], -1)
        plain = self.error(self.trunk(torch.cat([even, odd], -1)))
        mirrored = self.error(self.trunk(torch.cat([even, -odd], -1)))
        correction = torch.cat([(plain + mirrored)[..., :1], (plain - mirrored)[..., 1:]], -1)
        shift = torch.complex(correction[..., 0], correction[..., 1]) * direction
        weight = (
            (1 - approach.least_gap / REACH_M).clamp(0, 1)
            * (path_length / LENGTH_M).clamp(max=1)
            * bodies.present
        )
        corrected = Poses(
            predicted.position + LENGTH_M * weight * shift,
            predicted.angle + ANGLE * weight * correction[..., 2],
            predicted.velocity,
            predicted.spin,
        )
        return corrected, reached

    def _approach(
        self,
        bodies: Bodies,
        poses: Poses,
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> Approach:
        """Measure how the finger's path meets each body."""
        path = (after - before)[:, None]
        shares = torch.linspace(0, 1, PATH_POINTS, device=path.device)
        points = before[:, None] + path * shares
        arms = points[:, None] - poses.position[..., None]
        facing = heading(poses.angle)[..., None]
        surface, slope = bodies.distance(arms * facing.conj())
        gap = surface - self.contact.number("finger")
        least_gap, nearest = gap.min(-1, keepdim=True)
        first_touch = torch.where(gap < 0, 1.0, 0.0).argmax(-1, keepdim=True)
        meeting = first_touch.where(least_gap < 0, nearest)
        return Approach(
            path,
            first_gap=gap[..., 0],
            least_gap=least_gap[..., 0],
            touch=torch.where(gap < 0, shares, 1.0).amin(-1),
            normal=(slope * facing).gather(2, meeting)[..., 0],
            arm=arms.gather(2, meeting)[..., 0],
        )

    def _mechanics(
        self,
        bodies: Bodies,
        poses: Poses,
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Return the prediction of mechanics.

        Its numbers are learnt from the first step of a rollout. In later steps the poses depend on
        what is learnt, and gradients pass as if mechanics added a constant to them.
        """
        if not poses.position.requires_grad:
            predicted, reached = self.contact(bodies, poses, before, after)
            return predicted, reached.detach()
        with torch.no_grad():
            predicted, reached = self.contact(bodies, poses, before, after)
            shift = predicted.position - poses.position
            turn = predicted.angle - poses.angle
        carried = Poses(
            poses.position + shift, poses.angle + turn, predicted.velocity, predicted.spin
        )
        return carried, reached
