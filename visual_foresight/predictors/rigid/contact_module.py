"""One action of a round fingertip among flat rigid bodies, for many candidates at once.

A body is a signed distance on a patch of its own: one lookup finds whether a finger or another body
touches it, where, and the normal of its surface there. `contact_solver` computes the motion. What
cannot be seen (friction, how a body's weight rests on the table) is six learnt numbers. A position
or a direction in the plane is a complex number, x + iy in metres. Time is measured in actions: an
action lasts 1.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Complex, Complex128, Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.rigid.contact_records import Motions, Numbers, Shapes
from visual_foresight.predictors.rigid.contact_solver import push_bodies

FINGER_M = 0.012  # radius of the fingertip, before any learning
# Step of the central differences, as a share of the number that is varied. It is large, so that
# contacts that come or go within it average out.
RELATIVE_STEP = 0.03


@dataclass(frozen=True)
class Bodies:
    """k rigid bodies seen from above, each in its own frame; b is 1 or the number of candidates.

    Lengths in metres.
    """

    field: Float[Tensor, "b k 3 g g"]
    """Signed distance to the outline (negative inside), and its gradient (x, y), on a square patch
    around the body's position; axes x, y."""
    half: float
    """Half of the patch's side."""
    outline: Complex[Tensor, "b k m"]
    """Points on the outline."""
    spread: Float[Tensor, "b k"]
    """Mean distance of the body's points to its position."""
    gyration: Float[Tensor, "b k"]
    """Radius of gyration of the box around the body."""
    present: Bool[Tensor, "b k"]
    """False where there is no body; its other entries mean nothing."""

    def to(self, device: torch.device) -> "Bodies":
        """Return the bodies on a device."""
        return Bodies(
            self.field.to(device),
            self.half,
            self.outline.to(device),
            self.spread.to(device),
            self.gyration.to(device),
            self.present.to(device),
        )

    def distance(
        self, places: Complex[Tensor, "n k m"]
    ) -> tuple[Float[Tensor, "n k m"], Complex[Tensor, "n k m"]]:
        """Return the signed distances of places in the bodies' frames, and their gradients.

        Off the patch, the distance is that at the patch's border plus that to the border.
        """
        x, y = places.real / self.half, places.imag / self.half
        local = torch.stack([y, x], -1)  # in the order of `grid_sample`
        shared = len(self.field) == 1  # by all candidates
        if shared:
            fields = self.field[0]
            local = rearrange(local, "n k m two -> k n m two")
        else:
            fields = self.field.flatten(0, 1)
            local = rearrange(local, "n k m two -> (n k) 1 m two")
        values = functional.grid_sample(
            fields, local, padding_mode="border", align_corners=False
        )
        if shared:
            values = rearrange(values, "k three n m -> three n k m")
        else:
            values = rearrange(values, "(n k) three 1 m -> three n k m", n=len(places))
        distance, slope_x, slope_y = values.unbind(0)
        off_patch = (x.abs() - 1).clamp(min=0).square() + (y.abs() - 1).clamp(min=0).square()
        distance = distance + self.half * (off_patch + 1e-12).sqrt()
        return distance, torch.complex(slope_x, slope_y)


@dataclass(frozen=True)
class Poses:
    """Where k bodies are on the table, and how they move, for n candidates."""

    position: Complex[Tensor, "n k"]
    """In metres."""
    angle: Float[Tensor, "n k"]
    """In radians, 0 when the body was seen."""
    velocity: Complex[Tensor, "n k"]
    """In metres per action."""
    spin: Float[Tensor, "n k"]
    """In radians per action."""


class ContactModule(nn.Module):
    """One action of a round fingertip among bodies between walls, with six learnt numbers.

    Learnt are the logarithms of the numbers over those in `known`:

    - `rest`: the radius on which a body's weight rests, over its `spread`;
    - `inertia`: the radius of gyration, over `gyration`, that of the box around the body;
    - `drag`: the deceleration by friction with the table, in metres per action squared;
    - `grip`: Coulomb's coefficient of friction of contacts;
    - `finger`: the radius of the fingertip, in metres;
    - `margin`: how far the walls are beyond what the fingertip reached, in metres.
    """

    walls: Tensor
    """Corners with the least and with the largest (x, y) that the fingertip reached, in metres."""

    def __init__(self) -> None:
        super().__init__()
        self.known = {
            "rest": 1.6,  # most of the weight rests near the outline
            "inertia": 1.0,
            "drag": 0.06,  # of a coefficient of friction of 0.25, if an action lasts 0.16 s
            "grip": 0.45,
            "finger": FINGER_M,
            "margin": 0.02,
        }
        self.logarithms = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(())) for name in self.known}
        )
        self.register_buffer("walls", torch.tensor([[-1e6, -1e6], [1e6, 1e6]]))

    def number(self, name: str) -> Float[Tensor, ""]:
        """Return a learnt number, in the unit that the class names."""
        return self.known[name] * self.logarithms[name].exp()

    def forward(
        self,
        bodies: Bodies,
        poses: Poses,
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Push the bodies while the fingertip goes straight from `before` to `after`, x + iy in m.

        Gradients of the poses reach the learnt numbers, by central differences: there are only six
        of them, and contacts come and go. They reach neither the bodies nor where these were.

        Returns:
            The poses after the action, and where the fingertip gets to. That is `after`, unless a
            body that a wall stops is in its way.
        """
        assert not (torch.is_grad_enabled() and poses.position.requires_grad), (
            "no gradient reaches where bodies were"
        )
        shapes = Shapes(
            bodies.field.detach().cpu().numpy(),
            bodies.half,
            bodies.outline.detach().cpu().numpy(),
            bodies.spread.detach().cpu().numpy(),
            bodies.gyration.detach().cpu().numpy(),
            bodies.present.cpu().numpy(),
        )
        motions = Motions(
            poses.position.detach().cpu().numpy(),
            poses.angle.detach().cpu().numpy(),
            poses.velocity.detach().cpu().numpy(),
            poses.spin.detach().cpu().numpy(),
        )
        low, high = self.walls.tolist()
        walls = (complex(*low), complex(*high))
        start = before.detach().cpu().numpy()
        end = after.detach().cpu().numpy()

        def outcome(
            numbers: Float[Tensor, " number"],
        ) -> tuple[Complex128[Tensor, "3 n k"], Complex128[Tensor, " n"]]:
            """Return positions, velocities and angle + i spin after the action, and fingertips."""
            moved, reached = push_bodies(
                shapes, motions, Numbers(*numbers.tolist()), walls, start, end
            )
            parts = torch.stack(
                [
                    torch.from_numpy(moved.position),
                    torch.from_numpy(moved.velocity),
                    torch.from_numpy(moved.angle + 1j * moved.spin),
                ]
            )
            return parts, torch.from_numpy(reached)

        numbers = torch.stack([self.number(name) for name in self.known]).cpu()
        found, reached = outcome(numbers)
        if numbers.requires_grad:
            steps = (RELATIVE_STEP * numbers).detach()
            for number, step in zip(numbers, steps.diag(), strict=True):
                difference = outcome(numbers + step)[0] - outcome(numbers - step)[0]
                slope = difference / (2 * step.sum())
                found = found + slope * (number - number.detach())
        position, velocity, turning = found.to(poses.position).unbind(0)
        return Poses(position, turning.real, velocity, turning.imag), reached.to(poses.position)
