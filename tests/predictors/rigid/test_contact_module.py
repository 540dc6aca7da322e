"""Pushing discs and bars between walls, where the outcome is known."""

import itertools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from visual_foresight.predictors.rigid import contact_solver
from visual_foresight.predictors.rigid.contact_module import (
    FINGER_M,
    Bodies,
    ContactModule,
    Poses,
)
from visual_foresight.predictors.rigid.contact_records import SceneMotion, SceneShapes

RADIUS, HALF, CELLS = 0.03, 0.08, 40


def bodies(*shapes: str) -> Bodies:
    """Discs of 3 cm radius, and bars of 8 cm x 3 cm along x."""
    axis = (torch.arange(CELLS) + 0.5) * (2 * HALF / CELLS) - HALF
    x, y = torch.meshgrid(axis, axis, indexing="ij")
    fields, outlines, spreads, gyrations = [], [], [], []
    angles = torch.arange(24) * (2 * math.pi / 24)
    for shape in shapes:
        if shape == "disc":
            distance = (x.square() + y.square()).sqrt() - RADIUS
            outline = torch.polar(torch.full_like(angles, RADIUS), angles)
            spreads.append(2 / 3 * RADIUS)
            gyrations.append(RADIUS * math.sqrt(2 / 3))
        else:
            outside = torch.stack([x.abs() - 0.04, y.abs() - 0.015])
            distance = outside.clamp(min=0).norm(dim=0) + outside.amax(0).clamp(max=0)
            corners = torch.tensor(
                [0.04 + 0.015j, -0.04 + 0.015j, -0.04 - 0.015j, 0.04 - 0.015j]
            )
            outline = torch.cat([corners, (corners + corners.roll(1)) / 2]).repeat(3)
            spreads.append(0.022)
            gyrations.append(math.hypot(0.08, 0.03) / math.sqrt(12))
        slopes = torch.gradient(distance, spacing=2 * HALF / CELLS)
        length = (slopes[0].square() + slopes[1].square()).sqrt().clamp(min=1e-6)
        fields.append(torch.stack([distance, slopes[0] / length, slopes[1] / length]))
        outlines.append(outline)
    return Bodies(
        torch.stack(fields)[None],
        HALF,
        torch.stack(outlines)[None],
        torch.tensor(spreads)[None],
        torch.tensor(gyrations)[None],
        torch.ones(1, len(shapes), dtype=torch.bool),
    )


def at(*positions: complex, angle: float = 0.0) -> Poses:
    """Poses of one candidate's bodies, all at rest."""
    position = torch.tensor([positions], dtype=torch.complex64)
    at_rest = torch.zeros_like(position)
    return Poses(position, torch.full_like(position.real, angle), at_rest, at_rest.real)


def pushed(
    shapes: Bodies, poses: Poses, *tips: complex, contact: ContactModule | None = None
) -> Poses:
    """Return the poses after the finger has gone through places, an action each."""
    contact = contact or ContactModule()
    with torch.no_grad():
        for before, after in itertools.pairwise(tips):
            poses, _ = contact(
                shapes,
                poses,
                torch.tensor([before], dtype=torch.complex64),
                torch.tensor([after]),
            )
    return poses


def once(
    shapes: Bodies,
    poses: Poses,
    before: Tensor,
    after: Tensor,
    contact: ContactModule | None = None,
) -> tuple[Poses, Tensor]:
    contact = contact or ContactModule()
    with torch.no_grad():
        return contact(shapes, poses, before, after)


def both(*each: Bodies | Poses) -> Any:
    """Return scenes, or candidates, as one batch."""
    joined: dict[str, Any] = {
        name: torch.cat([vars(one)[name] for one in each])
        for name, part in vars(each[0]).items()
        if isinstance(part, Tensor)
    }
    first: Any = each[0]
    return replace(first, **joined)


def close(one: Tensor, two: Tensor, tolerance: float) -> None:
    np.testing.assert_allclose(
        torch.view_as_real(one + 0j).numpy(),
        torch.view_as_real(two + 0j).numpy(),
        atol=tolerance,
    )


def test_a_disc_pushed_through_its_middle_stays_before_the_finger() -> None:
    after = pushed(bodies("disc"), at(0.1 + 0j), 0.03 + 0j, 0.065 + 0j, 0.1 + 0j)
    ahead = after.position.real.item() - 0.1 - (RADIUS + FINGER_M)
    assert -0.001 < ahead < 0.006  # it may slide on a little
    assert abs(after.position.imag.item()) < 1e-4 and abs(after.angle.item()) < 1e-3


def test_what_nothing_touches_rests_exactly() -> None:
    before = at(0.1 + 0.1j, -0.1 + 0.1j)
    after = pushed(bodies("disc", "bar"), before, 0 + 0j, 0.04 + 0j)
    assert torch.equal(after.position, before.position) and torch.equal(
        after.angle, before.angle
    )


def test_a_bar_turns_away_from_the_end_that_is_pushed_and_its_mirror_image_the_other_way() -> (
    None
):
    one = pushed(bodies("bar"), at(0j), 0.03 - 0.04j, 0.03 - 0.005j)
    other = pushed(bodies("bar"), at(0j), -0.03 - 0.04j, -0.03 - 0.005j)
    assert 0.1 < one.angle.item() < 1.5 and one.position.imag.item() > 0.002
    assert other.angle.item() == pytest.approx(-one.angle.item(), abs=0.02)
    close(other.position, -one.position.conj(), 5e-4)


@pytest.mark.parametrize("angle", [0.7, 2.5])
def test_a_turned_push_is_the_same_push(angle: float) -> None:
    spin = complex(math.cos(angle), math.sin(angle))
    one = pushed(bodies("bar"), at(0j), 0.02 - 0.04j, 0.02 - 0.005j)
    other = pushed(
        bodies("bar"), at(0j, angle=angle), (0.02 - 0.04j) * spin, (0.02 - 0.005j) * spin
    )
    close(other.position, one.position * spin, 3e-4)
    assert other.angle.item() - angle == pytest.approx(one.angle.item(), abs=0.01)


def test_friction_stops_what_slides() -> None:
    contact, speed = ContactModule(), 0.03
    poses = at(0j)
    poses = Poses(poses.position, poses.angle, poses.velocity + speed, poses.spin)
    after = pushed(bodies("disc"), poses, -0.2 + 0j, -0.2 + 0j, -0.2 + 0j, contact=contact)
    assert after.velocity.abs().item() == 0
    assert after.position.real.item() == pytest.approx(
        speed**2 / 2 / contact.number("drag").item(), rel=0.25
    )


def test_one_body_pushes_another() -> None:
    after = pushed(bodies("disc", "disc"), at(0.05 + 0j, 0.112 + 0j), 0j, 0.035 + 0j)
    first, second = after.position[0].real.tolist()
    assert first > 0.07 and second > 0.125
    assert second - first > 2 * RADIUS - 0.003


def test_walls_stop_a_body() -> None:
    contact = ContactModule()
    contact.walls.copy_(torch.tensor([[-0.3, -0.3], [0.05, 0.3]]))  # the walls are 2 cm beyond
    after = pushed(
        bodies("disc"), at(0.03 + 0.001j), -0.03 + 0j, 0.0 + 0j, 0.025 + 0j, contact=contact
    )
    assert after.position.real.item() < 0.07 - RADIUS + 0.003


def test_a_finger_stops_at_a_body_that_a_wall_stops() -> None:
    contact = ContactModule()
    contact.walls.copy_(torch.tensor([[-0.3, -0.3], [0.05, 0.3]]))  # the walls are 2 cm beyond
    poses, tips = at(0.038 + 0j), torch.tensor([-0.03 + 0j, -0.03 + 0j])
    with torch.no_grad():
        poses, stopped = contact(bodies("disc"), poses, tips[:1], torch.tensor([0.04 + 0j]))
        _, free = contact(bodies("disc"), at(0.038 + 0.1j), tips[:1], torch.tensor([0.04 + 0j]))
    room = poses.position.real.item() - RADIUS - contact.number("finger").item()
    assert poses.position.real.item() < 0.07 - RADIUS + 0.003
    assert stopped.real.item() == pytest.approx(room, abs=0.004)  # it does not enter the disc
    assert free.item() == pytest.approx(0.04)


def test_candidates_are_independent_and_may_have_shapes_of_their_own() -> None:
    scenes = bodies("bar", "disc"), bodies("disc", "bar")
    poses = at(0j, 0.09 + 0j)
    before = torch.tensor([0.03 - 0.04j, -0.02 - 0.06j])
    after = torch.tensor([0.03 - 0.005j, -0.01 - 0.02j])
    together, _ = once(both(*scenes), both(poses, poses), before, after)
    for n, scene in enumerate(scenes):
        alone, _ = once(scene, poses, before[n : n + 1], after[n : n + 1])
        for one, two in zip(vars(together).values(), vars(alone).values(), strict=True):
            assert torch.equal(one[n : n + 1], two)
    assert together.angle[0, 0].item() > 0.1 and together.angle[1, 0].item() < 0.1
    with pytest.raises(AssertionError, match="2 scenes for 3 candidates"):
        once(both(*scenes), both(poses, poses, poses), before[[0, 1, 1]], after[[0, 1, 1]])


def test_one_layout_of_arrays_is_compiled_and_no_argument_is_written_to() -> None:
    scene, poses = bodies("disc", "bar"), at(0.05 + 0j, 0.2 + 0j)
    wide = Poses(*(part.expand(3, -1) for part in vars(poses).values()))
    with torch.inference_mode():
        tips = torch.zeros(3, dtype=torch.complex64)
        once(scene, wide, tips, tips + 0.03)
        once(both(scene, scene, scene), both(poses, poses, poses), tips, tips + 0.03)
    once(scene, poses, tips[:1], tips[:1] + 0.03)
    assert torch.equal(poses.position, at(0.05 + 0j, 0.2 + 0j).position)
    core = contact_solver.push_candidates
    assert len(getattr(core, "signatures", [core])) == 1


def test_an_absent_body_neither_pushes_nor_is_pushed() -> None:
    scene = bodies("disc", "disc")
    absent = replace(
        scene,
        present=torch.tensor([[True, False]]),
        field=scene.field * torch.tensor([1, -1]).view(2, 1, 1, 1),
    )
    contact = ContactModule()
    contact.walls.copy_(torch.tensor([[-0.3, -0.3], [0.05, 0.3]]))
    poses = at(0.03 + 0.001j, 0.03 + 0j)
    before, after = torch.tensor([-0.03 + 0j]), torch.tensor([0.02 + 0j])
    both_there, _ = once(scene, poses, before, after, contact)
    found, tip = once(absent, poses, before, after, contact)
    alone, alone_tip = once(bodies("disc"), at(0.03 + 0.001j), before, after, contact)
    assert torch.equal(found.position[:, 1], poses.position[:, 1]) and torch.equal(
        found.angle[:, 1], poses.angle[:, 1]
    )
    assert torch.equal(found.position[:, :1], alone.position) and torch.equal(tip, alone_tip)
    assert not torch.equal(both_there.position[:, :1], alone.position)


def test_on_an_empty_table_the_finger_is_free() -> None:
    scene, poses = bodies("disc"), at(0.03 + 0j)
    empty: dict[str, Any] = {
        name: part[:, :0] for name, part in vars(scene).items() if isinstance(part, Tensor)
    }
    nothing = replace(scene, **empty)
    nowhere = Poses(*(part[:, :0] for part in vars(poses).values()))
    found, tip = once(nothing, nowhere, torch.tensor([0j]), torch.tensor([0.03 + 0j]))
    assert found.position.shape == (1, 0) and tip.item() == pytest.approx(0.03)


@pytest.mark.parametrize("name", ["position", "angle", "velocity", "spin", "tip", "number"])
def test_what_is_not_finite_stays_so_and_in_its_candidate(name: str) -> None:
    contact, poses = ContactModule(), both(at(0.05 + 0j), at(0.05 + 0j))
    before, after = torch.zeros(2, dtype=torch.complex64), torch.full((2,), 0.03 + 0j)
    if name == "tip":
        after[0] = math.nan
    elif name == "number":
        contact.logarithms["drag"].data.fill_(math.nan)
    else:
        getattr(poses, name)[0] = math.nan
    found, tip = once(bodies("disc"), poses, before, after, contact)
    lost = [True, name == "number"]
    assert tip.isnan().tolist() == lost
    assert all(part.isnan()[:, 0].tolist() == lost for part in vars(found).values())


def test_the_compiled_lookup_is_the_one_of_torch() -> None:
    scene = bodies("bar")
    rng = torch.Generator().manual_seed(0)
    x, y = 0.4 * torch.rand(2, 1, 1, 200, generator=rng, dtype=torch.float64) - 0.2
    places = torch.complex(x, y).to(torch.complex64)
    gaps, slopes = scene.distance(places)
    arrays = {
        name: part[0].numpy() for name, part in vars(scene).items() if isinstance(part, Tensor)
    }
    shapes = SceneShapes(**arrays, half=HALF, radius=np.array([0.05], np.float32))
    at_rest = SceneMotion(np.zeros(1, complex), np.zeros(1), np.zeros(1, complex), np.zeros(1))
    found = [
        contact_solver.nearest_surface(shapes, at_rest, 0, complex(place))
        for place in places.flatten()
    ]
    np.testing.assert_allclose([gap for gap, *_ in found], gaps.flatten(), atol=1e-6)
    np.testing.assert_allclose([normal for _, normal, _ in found], slopes.flatten(), atol=1e-5)


def test_the_order_of_bodies_hardly_matters() -> None:
    places = (0.05 + 0j, 0.111 + 0.002j, 0.172 + 0j)
    one = pushed(bodies("disc", "disc", "disc"), at(*places), 0j, 0.035 + 0j).position[0]
    other = (
        pushed(bodies("disc", "disc", "disc"), at(*places[::-1]), 0j, 0.035 + 0j)
        .position[0]
        .flip(0)
    )
    assert one[2].real.item() > 0.19
    close(one, other, 0.002)


def test_gradients_reach_the_learnt_numbers() -> None:
    contact = ContactModule()
    shapes, tips = bodies("bar"), torch.tensor([[0.02 - 0.04j, 0.02 - 0.01j]])
    after, _ = contact(shapes, at(0j), tips[:, 0], tips[:, 1])
    (after.position.abs().sum() + after.angle.sum()).backward()
    for name in ("rest", "inertia", "drag", "grip", "finger"):
        grad = contact.logarithms[name].grad
        assert grad is not None and torch.isfinite(grad) and grad.abs() > 0, name


def test_the_gradient_of_a_slide_is_the_known_one() -> None:
    contact, poses, speed = ContactModule(), at(0j), 0.031
    poses = Poses(poses.position, poses.angle, poses.velocity + speed, poses.spin)
    tips = torch.tensor([-0.2 + 0j])
    after, _ = contact(bodies("disc"), poses, tips, tips)  # it comes to rest within the action
    after.position.real.sum().backward()
    grad = contact.logarithms["drag"].grad
    assert after.velocity.abs().item() == 0
    assert grad is not None and grad.item() == pytest.approx(
        -(speed**2) / (2 * contact.known["drag"]), rel=0.05
    )
