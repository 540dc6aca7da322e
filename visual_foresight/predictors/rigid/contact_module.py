"""One action of a finger among flat rigid bodies on a table, for many candidates at once.

Bodies are signed distances on a patch of their own, so one lookup tells whether a finger or
another body touches, where, and which way the surface faces. What happens is mechanics
(`mechanics.py`); what cannot be seen (friction, how weight rests on the table) is a handful of
learnt numbers. A place on the table is a complex number, x + iy in metres, and so is everything
with a direction; times are in actions: one lasts 1.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Complex, Complex128, Float
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.rigid.contact_solver import (
    Motions,
    Numbers,
    Shapes,
    push_bodies,
)

FINGER_M = 0.012  # radius of the fingertip
# of a number, in the differences that its gradient is taken from: far enough that single
# touches even out
STEP = 0.03


@dataclass(frozen=True)
class Bodies:
    """k rigid bodies as they look from above; b is 1 or the number of candidates.

    Lengths in metres, in a body's own frame.
    """

    field: Float[Tensor, "b k 3 g g"]
    """Signed distance to the outline (negative inside), and its gradient, on a square patch
    around the middle; axes x, y."""
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
        moved = [
            part.to(device) for part in (self.rim, self.spread, self.gyration, self.present)
        ]
        return Bodies(self.field.to(device), self.half, *moved)

    def distance(
        self, places: Complex[Tensor, "n k m"]
    ) -> tuple[Float[Tensor, "n k m"], Complex[Tensor, "n k m"]]:
        """Return signed distances at places in the bodies' own frames, about so beyond the patch, and their gradients."""
        x, y = places.real / self.half, places.imag / self.half
        inside = torch.stack([y, x], -1)
        if len(self.field) == 1:
            where, fields = rearrange(inside, "n k m two -> k n m two"), self.field[0]
        else:
            where, fields = (
                rearrange(inside, "n k m two -> (n k) 1 m two"),
                self.field.flatten(0, 1),
            )
        found = functional.grid_sample(
            fields, where, padding_mode="border", align_corners=False
        )
        pattern = (
            "k three n m -> three n k m"
            if len(self.field) == 1
            else "(n k) three 1 m -> three n k m"
        )
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


class ContactModule(nn.Module):
    """One action of a round finger among bodies between walls. Six numbers are learnt, as
    logarithms of those set here.

    rest: radius on which a body's weight rests, over the mean distance of its points; inertia:
    radius of gyration, over that of the box around it; drag: deceleration by the table's
    friction, m per action squared; grip: Coulomb's coefficient of contacts; finger: radius of
    the fingertip, m; margin: how far the walls are behind what the fingertip reached, m.
    """

    walls: Tensor

    def __init__(self) -> None:
        super().__init__()
        # Weight mostly rests on a body's rim; friction 0.25 slows by 0.06 m per action squared,
        # if one takes 0.16 s.
        self.known = {
            "rest": 1.6,
            "inertia": 1.0,
            "drag": 0.06,
            "grip": 0.45,
            "finger": FINGER_M,
            "margin": 0.02,
        }
        self.logarithms = nn.ParameterDict(
            {name: nn.Parameter(torch.zeros(())) for name in self.known}
        )
        self.register_buffer("walls", torch.tensor([[-1e6, -1e6], [1e6, 1e6]]))

    def number(self, name: str) -> Float[Tensor, ""]:
        """Return a learnt number."""
        return self.known[name] * self.logarithms[name].exp()

    def forward(
        self,
        bodies: Bodies,
        poses: Poses,
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Return where the bodies and the finger are when it has gone straight from one place
        on the table towards another.

        It gets there unless a body that is held by a wall stands in its way. Gradients reach
        the learnt numbers, through where the bodies get to, by central differences: there are
        six numbers, and contacts come and go. They reach nothing else: not the bodies, nor
        where they were.
        """
        numbers = torch.stack([self.number(name) for name in self.known]).cpu()
        assert not (torch.is_grad_enabled() and poses.place.requires_grad), (
            "no gradient reaches where bodies were"
        )
        assert len(bodies.field) in (1, len(after)), (
            f"{len(bodies.field)} scenes for {len(after)} candidates"
        )
        shapes = Shapes(
            _array(bodies.field, np.float32),
            float(bodies.half),
            _array(bodies.rim, np.complex64),
            _array(bodies.spread, np.float32),
            _array(bodies.gyration, np.float32),
            _array(bodies.present, np.bool_),
        )
        floats = (np.complex128, np.float64, np.complex128, np.float64)
        motions = Motions(
            *map(_array, (poses.place, poses.turn, poses.speed, poses.spin), floats)
        )
        tips = _array(torch.stack([before, after]), np.complex128)
        walls = tuple(complex(*corner) for corner in self.walls.tolist())

        def outcome(
            values: Float[Tensor, " number"],
        ) -> tuple[Complex128[Tensor, "3 n k"], Complex128[Tensor, " n"]]:
            """Return places, speeds, and turns + i spins, and where the finger gets to, if these were the numbers."""
            moved = Motions(*(part.copy() for part in motions))
            reached = push_bodies(shapes, moved, Numbers(*values.tolist()), walls, *tips)
            together = np.stack([moved.place, moved.speed, moved.turn + 1j * moved.spin])
            return torch.from_numpy(together), torch.from_numpy(reached)

        found, reached = outcome(numbers)
        if numbers.requires_grad:
            for number, step in zip(numbers, (STEP * numbers).detach().diag(), strict=True):
                slope = (outcome(numbers + step)[0] - outcome(numbers - step)[0]) / (
                    2 * step.sum()
                )
                found = found + slope * (number - number.detach())
        place, speed, turning = found.to(poses.place)
        return Poses(place, turning.real, speed, turning.imag), reached.to(poses.place)


def _array(part: Tensor, dtype: type[np.generic]) -> np.ndarray:
    """Return a tensor as the mechanics takes it.

    Always of one layout, as each would be compiled anew.
    """
    return np.array(part.detach().cpu().numpy(), dtype, order="C")
