"""One action of a finger among flat rigid bodies on a table, for many candidates at once.

Bodies are signed distances on a patch of their own, so one lookup tells whether a finger or another body touches, where, and
which way the surface faces. What happens is mechanics (`mechanics.py`); what cannot be seen (friction, how weight rests on the
table) is a handful of learnt numbers. A place on the table is a complex number, x + iy in metres, and so is everything with a
direction; times are in actions: one lasts 1.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Complex, Complex128, Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.mechanics import Motions, Shapes, Surroundings, push

FINGER_M = 0.012  # radius of the fingertip
STEP = 0.01  # of a logarithm, in the differences that its gradient is taken from


@dataclass(frozen=True)
class Bodies:
    """k rigid bodies as they look from above; b is 1 or the number of candidates. Lengths in metres, in a body's own frame."""

    field: Float[Tensor, "b k 3 g g"]
    """Signed distance to the outline (negative inside), and its gradient, on a square patch around the middle; axes x, y."""
    half: float
    """Half of the patch's side."""
    rim: Complex[Tensor, "b k m"]
    """Points on the outline."""
    spread: Float[Tensor, "b k"]
    """Mean distance of the body's points to its middle."""
    gyration: Float[Tensor, "b k"]
    """Radius of gyration of the box around it."""
    present: Bool[Tensor, "b k"]
    """Where there is no body, the rest means nothing."""

    def to(self, device: torch.device) -> "Bodies":
        """Return them on a device."""
        moved = [part.to(device) for part in (self.rim, self.spread, self.gyration, self.present)]
        return Bodies(self.field.to(device), self.half, *moved)

    def distance(self, places: Complex[Tensor, "n k m"]) -> tuple[Float[Tensor, "n k m"], Complex[Tensor, "n k m"]]:
        """Return signed distances at places in the bodies' own frames, about so beyond the patch, and their gradients."""
        x, y = places.real / self.half, places.imag / self.half
        inside = torch.stack([y, x], -1)
        if len(self.field) == 1:
            where, fields = rearrange(inside, "n k m two -> k n m two"), self.field[0]
        else:
            where, fields = rearrange(inside, "n k m two -> (n k) 1 m two"), self.field.flatten(0, 1)
        found = functional.grid_sample(fields, where, padding_mode="border", align_corners=False)
        pattern = "k three n m -> three n k m" if len(self.field) == 1 else "(n k) three 1 m -> three n k m"
        gap, *slope = rearrange(found, pattern, n=len(places))
        beyond = (x.abs() - 1).clamp(min=0).square() + (y.abs() - 1).clamp(min=0).square()
        return gap + self.half * (beyond + 1e-12).sqrt(), torch.complex(*slope)


@dataclass(frozen=True)
class Poses:
    """Where k bodies are on the table and how they move, for n candidates."""

    place: Complex[Tensor, "n k"]
    """Of the middle."""
    turn: Float[Tensor, "n k"]
    """In radians, since it was seen."""
    speed: Complex[Tensor, "n k"]
    """In metres per action."""
    spin: Float[Tensor, "n k"]
    """In radians per action."""


class Contact(nn.Module):
    """One action of a round finger among bodies between walls. Six numbers are learnt, as logarithms of those set here.

    rest: radius on which a body's weight rests, over the mean distance of its points; inertia: radius of gyration, over that of
    the box around it; drag: deceleration by the table's friction, m per action squared; grip: Coulomb's coefficient of
    contacts; finger: radius of the fingertip, m; margin: how far the walls are behind what the fingertip reached, m.
    """

    walls: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Weight mostly rests on a body's rim; friction 0.25 slows by 0.06 m per action squared, if one takes 0.16 s.
        self.known = {"rest": 1.6, "inertia": 1.0, "drag": 0.06, "grip": 0.45, "finger": FINGER_M, "margin": 0.02}
        self.logarithms = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in self.known})
        self.register_buffer("walls", torch.tensor([[-1e6, -1e6], [1e6, 1e6]]))

    def number(self, name: str) -> Float[Tensor, ""]:
        """Return a learnt number."""
        return self.known[name] * self.logarithms[name].exp()

    def forward(
        self, bodies: Bodies, poses: Poses, before: Complex[Tensor, " n"], after: Complex[Tensor, " n"]
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Return where the bodies and the finger are when it has gone straight from one place on the table towards another.

        It gets there unless a body that is held by a wall stands in its way. Gradients reach the learnt numbers, through
        where the bodies are, by central differences: there are six numbers, and contacts come and go. They do not reach
        `poses`.
        """
        numbers = torch.stack([self.number(name) for name in self.known])
        outcome, reached = self._pushed(bodies, poses, before, after, numbers)
        if numbers.requires_grad:
            for number, step in zip(numbers, (STEP * numbers).detach().diag(), strict=True):
                more, less = (self._pushed(bodies, poses, before, after, numbers + move)[0] for move in (step, -step))
                outcome = outcome + (more - less) / (2 * step.sum()) * (number - number.detach())
        place, speed, turning = outcome.to(poses.place)
        return Poses(place, turning.real, speed, turning.imag), reached.to(poses.place)

    def _pushed(
        self,
        bodies: Bodies,
        poses: Poses,
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
        numbers: Float[Tensor, " number"],
    ) -> tuple[Complex128[Tensor, "3 n k"], Complex128[Tensor, " n"]]:
        """Return places, speeds, and turns + i spins of the bodies, and where the finger is, if these were the numbers."""
        rest, inertia, drag, grip, finger, margin = numbers.tolist()
        low, high = (complex(*wall) for wall in self.walls.tolist())
        field, rim, spread, gyration, present = (
            part.detach().cpu().numpy()
            for part in (bodies.field, bodies.rim, bodies.spread, bodies.gyration, bodies.present)
        )
        shapes = Shapes(field, bodies.half, rim, (rest * spread) ** 2, (inertia * gyration) ** 2, present)
        place, speed, begin, end = (
            part.detach().cpu().numpy().astype(np.complex128) for part in (poses.place, poses.speed, before, after)
        )
        turn, spin = (part.detach().cpu().numpy().astype(np.float64) for part in (poses.turn, poses.spin))
        around = Surroundings(drag, grip, finger, low - margin * (1 + 1j), high + margin * (1 + 1j))
        reached = push(shapes, Motions(place, turn, speed, spin), around, begin, end)
        return torch.from_numpy(np.stack([place, speed, turn + 1j * spin])), torch.from_numpy(reached)
