"""What a finger's way does to bodies: what mechanics says, and what a network has learnt that
it misses.

Residual learning over the mechanics of pushing, as in Kloss, Schaal & Bohg, "Combining learned
and analytical models for predicting action effects from sensory data" (2017) and Ajay et al.,
"Augmenting Physical Simulators with Stochastic Neural Networks: Case Study of Planar Pushing
and Bouncing" (2018).
"""

import torch
from jaxtyping import Complex
from torch import Tensor, nn

from visual_foresight.predictors.rigid.contact_module import Bodies, ContactModule, Poses
from visual_foresight.vision.homography import heading

REACH_M = 0.01  # the network speaks where the finger comes so near
LOOKS = 9  # places on the finger's way from which a body's distance is taken
LENGTH_M, TURN = 0.02, 0.3  # what the network sees as 1
NUM_FEATURES = 5 + 1 + 2 * 6 + 2


class ResidualPush(nn.Module):
    """Moves bodies by one action; b is 1 or n, the number of candidates."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.contact = ContactModule()
        self.trunk = nn.Sequential(
            nn.Linear(NUM_FEATURES, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU()
        )
        self.error = nn.Linear(width, 3, bias=False)
        nn.init.zeros_(self.error.weight)  # at first, mechanics is right

    def forward(
        self,
        bodies: Bodies,
        poses: Poses,
        previous_displacement: Complex[Tensor, " n"],
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Return where the bodies and the finger are after its way from one place on the table
        towards another.

        What mechanics misses is told along the way, so that a turned push is the same push; and
        what a mirrored push would miss, mirrored, counts as much.

        Args:
            bodies: What can be pushed.
            poses: Where it is.
            came: How the finger has moved in the action before.
            before: Where the finger is.
            after: Where it goes.
        """
        foreseen, reached = self._foreseen(bodies, poses, before, after)
        short, way, before = (
            (after - reached)[:, None],
            (after - before)[:, None],
            before[:, None],
        )
        length = way.abs()
        along = way / length.clamp(min=1e-6)
        shares = torch.linspace(0, 1, LOOKS, device=way.device)
        away = (before + way * shares)[:, None] - poses.place[..., None]
        facing = heading(poses.turn)
        surface, slope = bodies.distance(away * facing.conj()[..., None])
        gap = surface - self.contact.number("finger")
        nearest, when = gap.min(-1, keepdim=True)
        touching = (
            torch.where(gap < 0, 1.0, 0.0).argmax(-1, keepdim=True).where(nearest < 0, when)
        )
        normal, arm = (
            (slope * facing[..., None]).gather(2, touching)[..., 0],
            away.gather(2, touching)[..., 0],
        )
        first, nearest = torch.where(gap < 0, shares, 1.0).amin(-1), nearest[..., 0]
        lengths = torch.stack(
            torch.broadcast_tensors(
                bodies.spread, bodies.gyration, gap[..., 0], nearest, length
            ),
            -1,
        )
        vectors = torch.broadcast_tensors(
            foreseen.place - poses.place,
            poses.speed,
            previous_displacement[:, None],
            short,
            arm,
            LENGTH_M * normal,
        )
        directed = (
            torch.view_as_real(torch.stack(vectors, -1) * along.conj()[..., None]) / LENGTH_M
        )
        turns = torch.stack([foreseen.turn - poses.turn, poses.spin], -1) / TURN
        known = [lengths / LENGTH_M, first[..., None], directed[..., 0]]
        odd = torch.cat([directed[..., 1], turns], -1)  # what a mirror turns round
        plain, mirrored = (
            self.error(self.trunk(torch.cat([*known, sign * odd], -1))) for sign in (1, -1)
        )
        missed = torch.cat([(plain + mirrored)[..., :1], (plain - mirrored)[..., 1:]], -1)
        speaks = (
            (1 - nearest / REACH_M).clamp(0, 1)
            * (length / LENGTH_M).clamp(max=1)
            * bodies.present
        )
        shift, turn = torch.complex(missed[..., 0], missed[..., 1]) * along, missed[..., 2]
        place, turned = (
            foreseen.place + LENGTH_M * speaks * shift,
            foreseen.turn + TURN * speaks * turn,
        )
        return Poses(place, turned, foreseen.speed, foreseen.spin), reached

    def _foreseen(
        self,
        bodies: Bodies,
        poses: Poses,
        before: Complex[Tensor, " n"],
        after: Complex[Tensor, " n"],
    ) -> tuple[Poses, Complex[Tensor, " n"]]:
        """Return what mechanics says.

        Its numbers are learnt from the first step of an imagination; in later ones, where what
        it is told depends on what is learnt, too, it is as if bodies were carried along.
        """
        if not poses.place.requires_grad:
            foreseen, reached = self.contact(bodies, poses, before, after)
            return foreseen, reached.detach()
        with torch.no_grad():
            foreseen, reached = self.contact(bodies, poses, before, after)
            shift, turned = foreseen.place - poses.place, foreseen.turn - poses.turn
        return Poses(
            poses.place + shift, poses.turn + turned, foreseen.speed, foreseen.spin
        ), reached
