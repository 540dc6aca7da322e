"""Pushing: what must come out is known for discs and boxes between walls."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from visual_foresight.predictors.contact import FINGER_M, Bodies, Contact, Poses

RADIUS, HALF, CELLS = 0.03, 0.08, 40


def bodies(*shapes: str) -> Bodies:
    """Discs of 3 cm radius, and bars of 8 cm x 3 cm along x."""
    axis = (torch.arange(CELLS) + 0.5) * (2 * HALF / CELLS) - HALF
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    fields, rims, spreads, gyrations = [], [], [], []
    angles = torch.arange(24) * (2 * math.pi / 24)
    for shape in shapes:
        if shape == "disc":
            distance = (x.square() + y.square()).sqrt() - RADIUS
            rim = torch.polar(torch.full_like(angles, RADIUS), angles)
            spreads.append(2 / 3 * RADIUS)
            gyrations.append(RADIUS * math.sqrt(2 / 3))
        else:
            out = torch.stack([x.abs() - 0.04, y.abs() - 0.015])
            distance = out.clamp(min=0).norm(dim=0) + out.amax(0).clamp(max=0)
            corners = torch.tensor([0.04 + 0.015j, -0.04 + 0.015j, -0.04 - 0.015j, 0.04 - 0.015j])
            rim = torch.cat([corners, (corners + corners.roll(1)) / 2]).repeat(3)
            spreads.append(0.022)
            gyrations.append(math.hypot(0.08, 0.03) / math.sqrt(12))
        slopes = torch.gradient(distance, spacing=2 * HALF / CELLS)
        length = (slopes[0].square() + slopes[1].square()).sqrt().clamp(min=1e-6)
        fields.append(torch.stack([distance, slopes[0] / length, slopes[1] / length]))
        rims.append(rim)
    sizes = torch.tensor(spreads)[None], torch.tensor(gyrations)[None]
    return Bodies(
        torch.stack(fields)[None], HALF, torch.stack(rims)[None], *sizes, torch.ones(1, len(shapes), dtype=torch.bool)
    )


def at(*places: complex, turn: float = 0.0) -> Poses:
    place = torch.tensor([places], dtype=torch.complex64)
    return Poses(place, torch.full_like(place.real, turn), 0 * place, 0 * place.real)


def pushed(shapes: Bodies, poses: Poses, *tips: complex, contact: Contact | None = None) -> Poses:
    """Lead the finger through places, an action each."""
    contact = contact or Contact()
    with torch.no_grad():
        for before, after in zip(tips, tips[1:], strict=False):
            poses, _ = contact(shapes, poses, torch.tensor([before], dtype=torch.complex64), torch.tensor([after]))
    return poses


def close(one: Tensor, two: Tensor, tolerance: float) -> None:
    np.testing.assert_allclose(
        torch.view_as_real(one + 0j).numpy(), torch.view_as_real(two + 0j).numpy(), atol=tolerance
    )


def test_a_disc_pushed_through_its_middle_stays_before_the_finger() -> None:
    after = pushed(bodies("disc"), at(0.1 + 0j), 0.03 + 0j, 0.065 + 0j, 0.1 + 0j)
    ahead = after.place.real.item() - 0.1 - (RADIUS + FINGER_M)
    assert -0.001 < ahead < 0.006  # it may slide on a little
    assert abs(after.place.imag.item()) < 1e-4 and abs(after.turn.item()) < 1e-3


def test_what_nothing_touches_rests_exactly() -> None:
    before = at(0.1 + 0.1j, -0.1 + 0.1j)
    after = pushed(bodies("disc", "bar"), before, 0 + 0j, 0.04 + 0j)
    assert torch.equal(after.place, before.place) and torch.equal(after.turn, before.turn)


def test_a_bar_turns_away_from_the_end_that_is_pushed_and_its_mirror_image_the_other_way() -> None:
    one = pushed(bodies("bar"), at(0j), 0.03 - 0.04j, 0.03 - 0.005j)
    other = pushed(bodies("bar"), at(0j), -0.03 - 0.04j, -0.03 - 0.005j)
    assert 0.1 < one.turn.item() < 1.5 and one.place.imag.item() > 0.002
    assert other.turn.item() == pytest.approx(-one.turn.item(), abs=0.02)
    close(other.place, -one.place.conj(), 5e-4)


@pytest.mark.parametrize("angle", [0.7, 2.5])
def test_a_turned_push_is_the_same_push(angle: float) -> None:
    spin = complex(math.cos(angle), math.sin(angle))
    one = pushed(bodies("bar"), at(0j), 0.02 - 0.04j, 0.02 - 0.005j)
    other = pushed(bodies("bar"), at(0j, turn=angle), (0.02 - 0.04j) * spin, (0.02 - 0.005j) * spin)
    close(other.place, one.place * spin, 3e-4)
    assert other.turn.item() - angle == pytest.approx(one.turn.item(), abs=0.01)


def test_friction_stops_what_slides() -> None:
    contact, speed = Contact(), 0.03
    poses = at(0j)
    poses = Poses(poses.place, poses.turn, poses.speed + speed, poses.spin)
    after = pushed(bodies("disc"), poses, -0.2 + 0j, -0.2 + 0j, -0.2 + 0j, contact=contact)
    assert after.speed.abs().item() == 0
    assert after.place.real.item() == pytest.approx(speed**2 / 2 / contact.number("drag").item(), rel=0.25)


def test_one_body_pushes_another() -> None:
    after = pushed(bodies("disc", "disc"), at(0.05 + 0j, 0.112 + 0j), 0j, 0.035 + 0j)
    first, second = after.place[0].real.tolist()
    assert first > 0.07 and second > 0.125
    assert second - first > 2 * RADIUS - 0.003


def test_walls_hold() -> None:
    contact = Contact()
    contact.walls.copy_(torch.tensor([[-0.3, -0.3], [0.05, 0.3]]))  # and 2 cm on from there
    after = pushed(bodies("disc"), at(0.03 + 0.001j), -0.03 + 0j, 0.0 + 0j, 0.025 + 0j, contact=contact)
    assert after.place.real.item() < 0.07 - RADIUS + 0.003


def test_a_finger_stops_at_what_a_wall_holds() -> None:
    contact = Contact()
    contact.walls.copy_(torch.tensor([[-0.3, -0.3], [0.05, 0.3]]))  # and 2 cm on from there
    poses, tips = at(0.038 + 0j), torch.tensor([-0.03 + 0j, -0.03 + 0j])
    with torch.no_grad():
        poses, held_up = contact(bodies("disc"), poses, tips[:1], torch.tensor([0.04 + 0j]))
        _, free = contact(bodies("disc"), at(0.038 + 0.1j), tips[:1], torch.tensor([0.04 + 0j]))
    room = poses.place.real.item() - RADIUS - contact.number("finger").item()
    assert poses.place.real.item() < 0.07 - RADIUS + 0.003
    assert held_up.real.item() == pytest.approx(room, abs=0.004)  # it does not enter the disc
    assert free.item() == pytest.approx(0.04)


def test_candidates_do_not_share_a_world_and_shapes_may_be_given_for_each() -> None:
    one = bodies("bar", "disc")
    two = Bodies(*(torch.cat([part, part]) if isinstance(part, Tensor) else part for part in vars(one).values()))
    poses = at(0j, 0.09 + 0j)
    both = Poses(*(torch.cat([part, part]) for part in vars(poses).values()))
    before, after = torch.tensor([0.03 - 0.04j, -0.2 - 0.2j]), torch.tensor([0.03 - 0.005j, -0.2 - 0.1j])
    with torch.no_grad():
        (shared, _), (own, _) = (Contact()(each, both, before, after) for each in (one, two))
    close(shared.place, own.place, 1e-6)
    assert shared.turn[0, 0].item() > 0.1
    assert torch.equal(shared.place[1], poses.place[0])


def test_frictions_can_be_learnt_from_what_happened() -> None:
    contact = Contact()
    shapes, tips = bodies("bar"), torch.tensor([[0.02 - 0.04j, 0.02 - 0.01j]])
    after, _ = contact(shapes, at(0j), tips[:, 0], tips[:, 1])
    (after.place.abs().sum() + after.turn.sum()).backward()
    for name in ("rest", "inertia", "drag", "grip", "finger"):
        grad = contact.logarithms[name].grad
        assert grad is not None and torch.isfinite(grad) and grad.abs() > 0, name


def test_the_gradient_of_a_slide_is_the_known_one() -> None:
    contact, poses = Contact(), at(0j)
    poses = Poses(poses.place, poses.turn, poses.speed + 0.03, poses.spin)
    tips = torch.tensor([-0.2 + 0j])
    after, _ = contact(bodies("disc"), poses, tips, tips)  # v = 0.03, and drag is 0.06: it comes to rest within the action
    slid = after.place.real.sum()
    slid.backward()
    grad = contact.logarithms["drag"].grad  # of v^2 / (2 drag), by the logarithm of drag
    assert after.speed.abs().item() == 0
    assert grad is not None and grad.item() == pytest.approx(-slid.item(), rel=0.1)
