"""What a finger does to flat rigid bodies on a table: mechanics in the plane, in small steps, for many candidates at once.

Bodies are signed distances on a patch of their own, so one lookup tells whether a finger or another body touches, where, and
which way the surface faces. Friction with the table is a limit surface (an ellipsoid: Goyal, Ruina & Papadopoulos 1991; Lynch &
Mason 1996); contacts are impulses without rebound, with Coulomb's friction. What cannot be seen (friction, how weight rests
on the table) is a handful of learnt numbers, for everything here can be differentiated. A place on the table is a complex
number, x + iy in metres, and so is everything with a direction; times are in actions: one lasts 1.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.predictors.plane import heading

SUBSTEPS = 12
MAX_STRIDE = 1.5  # of a finger that was held up, in what it would go in a substep
FINGER_M = 0.012  # radius of the fingertip


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

    def some(self, which: Int[Tensor, " k"]) -> "Bodies":
        """Return the bodies of these numbers."""
        parts = (self.rim, self.spread, self.gyration, self.present)
        return Bodies(self.field[:, which], self.half, *(part[:, which] for part in parts))

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

    def pushed(
        self,
        out: Complex[Tensor, "n k"],
        out_turn: Float[Tensor, "n k"],
        push: Complex[Tensor, "n k"],
        push_turn: Float[Tensor, "n k"],
    ) -> "Poses":
        """Return them put out of something's way, and sped up."""
        return Poses(self.place + out, self.turn + out_turn, self.speed + push, self.spin + push_turn)


@dataclass(frozen=True)
class Setting:
    """What does not change in an action."""

    bodies: Bodies
    pairs: Int[Tensor, "2 p"]
    """Numbers j, i of two bodies that could come to touch: the rim of i is looked for in j."""
    obstacles: Bodies
    """The j of each pair."""
    inertia: Float[Tensor, "b k"]
    """Squared radius of gyration."""
    present: Float[Tensor, "b k"]
    finger: Float[Tensor, ""]
    grip: Float[Tensor, ""]
    margin: Float[Tensor, ""]


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

        It gets there unless a body that is held by a wall stands in its way.
        """
        arm2 = (self.number("rest") * bodies.spread).square()
        inertia = (self.number("inertia") * bodies.gyration).square()
        numbers = (self.number("drag") / SUBSTEPS, arm2, arm2 / inertia)
        before, way = before[:, None], (after - before)[:, None]
        pairs, walled = self._near(bodies, poses, way)
        learnt = (self.number(name) for name in ("finger", "grip", "margin"))
        setting = Setting(bodies, pairs, bodies.some(pairs[0]), inertia, bodies.present.float(), *learnt)
        tip, goes, stride = before, way, MAX_STRIDE * way.abs() / SUBSTEPS
        for part in range(2, SUBSTEPS + 1, 2):
            came = tip
            for each in (part - 1, part):
                poses = _slowed(poses, *numbers)
                missing = before + way * (each / SUBSTEPS) - tip
                tip = tip + missing * (stride / missing.abs().clamp(min=1e-9)).clamp(max=1)
                poses = self._touched(setting, poses, tip, goes)
            if pairs.numel():
                poses = self._collided(setting, poses)
            if walled.any():
                poses = self._walled(setting, poses)
                tip = torch.where(walled, self._stopped(setting, poses, tip), tip)
                goes = torch.where(walled, (tip - came) * (SUBSTEPS / 2), way)
        return poses, tip[:, 0]

    def _stopped(self, setting: Setting, poses: Poses, tip: Complex[Tensor, "n 1"]) -> Complex[Tensor, "n 1"]:
        """Return where the finger is: outside of what could not get out of its way."""
        facing = heading(poses.turn)
        surface, slope = setting.bodies.distance(((tip - poses.place) * facing.conj())[..., None])
        gap = torch.where(setting.bodies.present, surface[..., 0] - setting.finger, 1.0)
        nearest, which = gap.min(1, keepdim=True)
        return tip - nearest.clamp(max=0) * (slope[..., 0] * facing).gather(1, which)

    def _touched(
        self, setting: Setting, poses: Poses, tip: Complex[Tensor, "n 1"], way: Complex[Tensor, "n 1"]
    ) -> Poses:
        """Let the finger push: out of its way without speed, and not slower than it."""
        away, facing = tip - poses.place, heading(poses.turn)
        surface, slope = setting.bodies.distance((away * facing.conj())[..., None])
        normal = slope[..., 0] * facing
        touches = (surface[..., 0] < setting.finger) * setting.present
        arm = away - normal * surface[..., 0]
        turned = arm.conj() * normal  # real: along the normal; imaginary: the lever
        lever, side_lever = turned.imag, turned.real  # of the normal, and of the direction a quarter to its left
        slip = (way - poses.speed - 1j * arm * poses.spin) * normal.conj()
        push = (-slip.real).clamp(min=0) * touches / (1 + lever.square() / setting.inertia)
        grip = setting.grip * push
        side = slip.imag / (1 + side_lever.square() / setting.inertia)
        side = torch.maximum(torch.minimum(side, grip), -grip)
        out = (setting.finger - surface[..., 0]) * touches / (1 + lever.square() / setting.inertia)
        impulse = torch.complex(-push, side)
        return poses.pushed(
            -out * normal,
            -out * lever / setting.inertia,
            impulse * normal,
            (side * side_lever - push * lever) / setting.inertia,
        )

    def _collided(self, setting: Setting, poses: Poses) -> Poses:
        """Let bodies push one another, where the rim of one, i, is deepest in the other, j; masses are alike."""
        (j, i), obstacles, facing = setting.pairs, setting.obstacles, heading(poses.turn)
        rims = setting.bodies.rim[:, i] * facing[:, i, None] + poses.place[:, i, None]
        away = rims - poses.place[:, j, None]
        surface, slope = obstacles.distance(away * facing[:, j, None].conj())
        gap, deepest = surface.min(-1, keepdim=True)
        normal = slope.gather(2, deepest)[..., 0] * facing[:, j]
        arm, gap = away.gather(2, deepest)[..., 0], gap[..., 0]
        other_arm = arm + poses.place[:, j] - poses.place[:, i]
        touches = (gap < 0) & setting.bodies.present[:, i] & obstacles.present
        lever, other_lever = (arm.conj() * normal).imag, (other_arm.conj() * normal).imag
        mine, its = setting.inertia[:, j], setting.inertia[:, i]
        ease = touches / (2 + lever.square() / mine + other_lever.square() / its)
        speed = poses.speed[:, j] + 1j * arm * poses.spin[:, j]
        other_speed = poses.speed[:, i] + 1j * other_arm * poses.spin[:, i]
        closing = (speed - other_speed) * normal.conj()
        rest, level, changes = torch.zeros_like(poses.place), torch.zeros_like(poses.turn), []
        for size in (-gap.clamp(max=0) * ease, closing.real.clamp(min=0) * ease):
            along, its_turn, turn = size * normal, size * other_lever / its, size * lever / mine
            changes.append(rest.index_add(1, i, along).index_add(1, j, -along))
            changes.append(level.index_add(1, i, its_turn).index_add(1, j, -turn))
        return poses.pushed(*changes)

    def _walled(self, setting: Setting, poses: Poses) -> Poses:
        """Keep bodies between the walls, where their rims stand out farthest."""
        inertia = setting.inertia[..., None]
        limits = torch.cat([self.walls[1] + setting.margin, setting.margin - self.walls[0]])
        normal = torch.tensor([-1, -1j, 1, 1j], device=limits.device)  # of the four walls, inwards
        rims = setting.bodies.rim * heading(poses.turn)[..., None]
        places = rims + poses.place[..., None]
        out = torch.stack([places.real, places.imag, -places.real, -places.imag], -1) - limits
        out, farthest = out.max(2)
        arm = rims.gather(2, farthest)
        lever = (arm.conj() * normal).imag
        ease = (out > 0) * setting.present[..., None] / (1 + lever.square() / inertia)
        moving = (poses.speed[..., None] + 1j * arm * poses.spin[..., None]) * normal.conj()
        out, push, turning = out * ease, (-moving.real).clamp(min=0) * ease, lever / inertia
        side_lever = (arm.conj() * normal).real
        grip = setting.grip * push
        side = -moving.imag / (1 + side_lever.square() / inertia)
        side = torch.maximum(torch.minimum(side, grip), -grip)
        return poses.pushed(
            (out * normal).sum(-1),
            (out * turning).sum(-1),
            ((push + 1j * side) * normal).sum(-1),
            (push * turning + side * side_lever / inertia).sum(-1),
        )

    def _pairs(self, bodies: Bodies) -> Bool[Tensor, "b k k"]:
        """Tell which two are two bodies."""
        same = torch.eye(bodies.present.shape[1], dtype=torch.bool, device=bodies.present.device)
        return bodies.present[:, :, None] & bodies.present[:, None] & ~same

    def _near(
        self, bodies: Bodies, poses: Poses, way: Complex[Tensor, "n 1"]
    ) -> tuple[Int[Tensor, "2 p"], Bool[Tensor, "n 1"]]:
        """Tell which two bodies, and for which candidates a body and a wall, could come to touch within this action."""
        goes = 2 * (way.abs() + (poses.speed.abs() + poses.spin.abs() * bodies.spread).amax(1, keepdim=True))
        reach = bodies.rim.abs().amax(-1) + goes
        apart = (poses.place[:, :, None] - poses.place[:, None]).abs()
        crowded = (apart < reach[:, :, None] + reach[:, None]) & self._pairs(bodies)
        places, margin = torch.view_as_real(poses.place), self.number("margin")
        inside = (places - self.walls[0]).minimum(self.walls[1] - places).amin(-1) + margin
        return crowded.any(0).nonzero().T, ((inside < reach) & bodies.present).any(1, keepdim=True)


def _slowed(poses: Poses, drag: Float[Tensor, ""], arm2: Float[Tensor, "b k"], turned: Float[Tensor, "b k"]) -> Poses:
    """Apply the table's friction, sliding and turning alike, down to rest, and move on by a substep."""
    pace = (poses.speed.real.square() + poses.speed.imag.square() + arm2 * poses.spin.square() + 1e-10).sqrt()
    loss = drag / pace
    speed, spin = poses.speed * (1 - loss).clamp(min=0), poses.spin * (1 - loss * turned).clamp(min=0)
    return Poses(poses.place + speed / SUBSTEPS, poses.turn + spin / SUBSTEPS, speed, spin)
