"""Planar pushing: what a fingertip does to flat rigid bodies on a table, in small time steps.

Friction with the table is a limit surface, an ellipsoid (Goyal, Ruina & Papadopoulos 1991; Lynch
& Mason 1996). Contacts are impulses without restitution, one after another; those with the
finger and with the walls have Coulomb friction. A position or a direction in the plane is a
complex number, x + iy in metres. Time is measured in actions: an action lasts 1.

`push_bodies` is the door. The core behind it loops over bodies and points of outlines, so numba
compiles it. Compiled functions have no annotations, because numba infers the types; their
docstrings say what they take. With `NUMBA_DISABLE_JIT=1` the core is plain Python.
"""

from cmath import exp
from functools import partial
from math import sqrt
from typing import no_type_check

import numpy as np
from jaxtyping import Complex, Complex128

from visual_foresight.predictors.rigid.contact_records import (
    Motions,
    Numbers,
    SceneMotion,
    SceneShapes,
    Shapes,
)
from visual_foresight.system.machine_code import compiled

# Time steps of an action; an even number. Contacts between bodies, and with walls, are resolved in
# every second one.
SUBSTEPS = 24
# Largest way of a finger in one time step, over that of a finger that nothing ever stops.
MAX_STRIDE = 1.5
# Two bodies may touch if they are nearer to each other than the sum of their radii, times this.
COLLISION_RANGE = 1.1


def push_bodies(
    shapes: Shapes,
    motions: Motions,
    numbers: Numbers,
    walls: tuple[complex, complex],
    before: Complex[np.ndarray, " n"],
    after: Complex[np.ndarray, " n"],
) -> tuple[Motions, Complex128[np.ndarray, " n"]]:
    """Move the bodies of n candidates while the finger goes straight from one place to another.

    Arrays of any precision and layout will do: they are copied to the only one that the core is
    compiled for.

    Args:
        shapes: Of one scene for all candidates (b = 1), or of one for each (b = n).
        motions: Poses and velocities before the action.
        numbers: The physical parameters.
        walls: The corners with the least and with the largest x and y that the fingertip ever
            reached, x + iy in metres. The walls are `numbers.margin` beyond them.
        before: Where the fingertip is before the action, x + iy in metres.
        after: Where it is commanded to go.

    Returns:
        The motions after the action, in double precision, and where the fingertip gets to. That is
        `after`, unless a body that a wall stops is in its way. If a value of a candidate or a
        number is not finite, all values of the candidate are NaN.
    """
    assert len(shapes.field) in (1, len(before)), (
        f"{len(shapes.field)} scenes for {len(before)} candidates"
    )
    moved = Motions(
        np.array(motions.position, np.complex128, order="C"),
        np.array(motions.angle, np.float64, order="C"),
        np.array(motions.velocity, np.complex128, order="C"),
        np.array(motions.spin, np.float64, order="C"),
    )
    reached = push_candidates(
        Shapes(
            _required(shapes.field, np.float32),
            float(shapes.half),
            _required(shapes.outline, np.complex64),
            _required(shapes.spread, np.float32),
            _required(shapes.gyration, np.float32),
            _required(shapes.present, np.bool_),
        ),
        moved,
        numbers,
        walls,
        _required(before, np.complex128),
        _required(after, np.complex128),
    )
    return moved, reached


def _required(array: np.ndarray, dtype: type[np.generic]) -> np.ndarray:
    """Return an array in the one layout that the core is compiled for; copy it if need be."""
    return np.require(array, dtype, ["C", "A", "W"])


@partial(
    compiled,
    announcement="compiling the mechanics of pushing: once after an installation, some seconds",
)
@no_type_check
def push_candidates(shapes, motions, numbers, walls, before, after):
    """Do the work of `push_bodies` for arrays of one precision and layout.

    Takes the same arguments, but writes the new motions to `motions`. Returns the fingertips.
    """
    reached = np.empty_like(before)
    margin = numbers.margin * (1 + 1j)
    low, high = walls[0] - margin, walls[1] + margin
    for n in range(len(before)):
        scene = _scene(shapes, n if len(shapes.field) > 1 else 0)
        motion = SceneMotion(
            motions.position[n], motions.angle[n], motions.velocity[n], motions.spin[n]
        )
        reached[n] = _push_one(scene, motion, numbers, low, high, before[n], after[n])
    return reached


@compiled
@no_type_check
def _scene(shapes, b):
    """Return the `SceneShapes` of scene b of `Shapes`."""
    radius = np.array([np.abs(outline).max() for outline in shapes.outline[b]])
    return SceneShapes(
        shapes.field[b],
        shapes.half,
        shapes.outline[b],
        shapes.spread[b],
        shapes.gyration[b],
        shapes.present[b],
        radius,
    )


@compiled
@no_type_check
def _push_one(scene, motion, numbers, low, high, before, after):
    """Push the bodies of one candidate; write to `motion`, and return the fingertip.

    Takes `SceneShapes`, `SceneMotion`, `Numbers`, the walls' corners, and the fingertip before and
    after, complex.
    """
    if not _all_finite(motion, numbers, before + after):
        motion.position[:] = np.nan
        motion.angle[:] = np.nan
        motion.velocity[:] = np.nan
        motion.spin[:] = np.nan
        return complex(np.nan, np.nan)
    path = after - before
    velocity = path
    stride = MAX_STRIDE * abs(path) / SUBSTEPS
    walls_matter = _near_wall(scene, motion, numbers, low, high, abs(path))
    tip = before
    previous_tip = before
    for substep in range(1, SUBSTEPS + 1):
        _slide(scene, motion, numbers)
        missing = before + path * (substep / SUBSTEPS) - tip
        tip += missing * min(stride / max(abs(missing), 1e-9), 1.0)
        for k in range(len(scene.radius)):
            gap, normal, arm = nearest_surface(scene, motion, k, tip)
            if gap < numbers.finger:
                _push_out(
                    scene, motion, numbers, k, velocity, arm, -normal, numbers.finger - gap
                )
        if substep % 2:
            continue
        _collide_all(scene, motion, numbers)
        if walls_matter:
            _keep_inside(scene, motion, numbers, low, high)
            tip = _stop_finger(scene, motion, numbers, tip)
            velocity = (tip - previous_tip) * (SUBSTEPS / 2)
            previous_tip = tip
    return tip


@compiled
@no_type_check
def _all_finite(motion, numbers, tips):
    """Return whether a `SceneMotion`, the `Numbers` and the sum of the fingertips are finite."""
    known = (
        numbers.rest
        + numbers.inertia
        + numbers.drag
        + numbers.grip
        + numbers.finger
        + numbers.margin
    )
    return (
        np.isfinite(known + tips)
        and np.isfinite(motion.velocity).all()
        and np.isfinite(motion.spin).all()
        and np.isfinite(motion.position).all()
        and np.isfinite(motion.angle).all()
    )


@compiled
@no_type_check
def _near_wall(scene, motion, numbers, low, high, length):
    """Return whether a body could touch a wall while the finger goes a path of this length."""
    fastest = 0.0
    for k in range(len(scene.radius)):
        turning = abs(motion.spin[k]) * numbers.rest * scene.spread[k]
        fastest = max(fastest, abs(motion.velocity[k]) + turning)
    for k in range(len(scene.radius)):
        to_low, to_high = motion.position[k] - low, high - motion.position[k]
        room = min(to_low.real, to_low.imag, to_high.real, to_high.imag)
        if scene.present[k] and room < scene.radius[k] + 2 * (length + fastest):
            return True
    return False


@compiled
@no_type_check
def _slide(scene, motion, numbers):
    """Move all bodies by one time step, slowed by the table's friction, down to rest.

    The limit surface is an ellipsoid, so friction opposes velocity and spin alike.
    """
    for k in range(len(motion.angle)):
        arm = numbers.rest * scene.spread[k]
        inertia = (numbers.inertia * scene.gyration[k]) ** 2
        pace = sqrt(abs(motion.velocity[k]) ** 2 + (arm * motion.spin[k]) ** 2)
        if pace > 0:
            loss = numbers.drag / SUBSTEPS / pace
            motion.velocity[k] *= max(1 - loss, 0.0)
            motion.spin[k] *= max(1 - loss * arm**2 / inertia, 0.0)
            motion.position[k] += motion.velocity[k] / SUBSTEPS
            motion.angle[k] += motion.spin[k] / SUBSTEPS


@compiled
@no_type_check
def nearest_surface(scene, motion, k, place):
    """Return where body k of a scene is nearest to a place (complex).

    Takes `SceneShapes` and `SceneMotion`. Returns the signed distance, the direction (complex) from
    the surface to the place, and the arm (complex) from the body's position to that surface.
    """
    if not scene.present[k]:
        return np.inf, 0j, 0j
    facing = exp(1j * motion.angle[k])
    offset = place - motion.position[k]
    local = offset * facing.conjugate()
    gap = _interpolated(scene.field[k, 0], scene.half, local) + _off_patch(scene.half, local)
    x = _interpolated(scene.field[k, 1], scene.half, local)
    y = _interpolated(scene.field[k, 2], scene.half, local)
    normal = complex(x, y) * facing
    return gap, normal, offset - normal * gap


@compiled
@no_type_check
def _interpolated(plane, half, local):
    """Read a plane of a patch (g x g) at a place in the body's frame, bilinearly.

    Beyond the centres of its outermost cells, their values hold.
    """
    last = len(plane) - 1
    row = min(max(((local.real / half + 1) * (last + 1) - 1) / 2, 0.0), float(last))
    col = min(max(((local.imag / half + 1) * (last + 1) - 1) / 2, 0.0), float(last))
    top = min(int(row), last - 1)
    left = min(int(col), last - 1)
    down, right = row - top, col - left
    upper = plane[top, left] * (1 - right) + plane[top, left + 1] * right
    lower = plane[top + 1, left] * (1 - right) + plane[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


@compiled
@no_type_check
def _off_patch(half, local):
    """Return how far outside of a patch a place in the body's frame is, in metres."""
    return abs(complex(max(abs(local.real) - half, 0.0), max(abs(local.imag) - half, 0.0)))


@compiled
@no_type_check
def _push_out(scene, motion, numbers, k, velocity, arm, normal, depth):
    """Push body k out of a finger or a wall, which it cannot move, with Coulomb friction.

    Takes the velocity of what pushes, the arm from the body's position to the contact, and the
    normal into the body, all complex; and how deep the body is penetrated, in metres.
    """
    inertia = (numbers.inertia * scene.gyration[k]) ** 2
    turned = arm.conjugate() * normal
    lever, side_lever = (
        turned.imag,
        turned.real,
    )  # of the normal, and of the tangent to its left
    slip = (velocity - motion.velocity[k] - 1j * arm * motion.spin[k]) * normal.conjugate()
    compliance = 1 / (1 + lever**2 / inertia)
    impulse = max(slip.real, 0.0) * compliance
    shift = depth * compliance
    friction = slip.imag / (1 + side_lever**2 / inertia)
    most = numbers.grip * impulse
    friction = min(max(friction, -most), most)
    motion.position[k] += shift * normal
    motion.angle[k] += shift * lever / inertia
    motion.velocity[k] += (impulse + 1j * friction) * normal
    motion.spin[k] += (impulse * lever + friction * side_lever) / inertia


@compiled
@no_type_check
def _collide_all(scene, motion, numbers):
    """Resolve the contacts of all pairs of bodies that are near enough."""
    for j in range(len(scene.radius)):
        for i in range(len(scene.radius)):
            if i == j:
                continue
            distance = abs(motion.position[j] - motion.position[i])
            if distance < COLLISION_RANGE * (scene.radius[j] + scene.radius[i]):
                _collide(scene, motion, numbers, j, i)


@compiled
@no_type_check
def _collide(scene, motion, numbers, j, i):
    """Push bodies i and j apart where the outline of i is deepest in j. Masses are equal."""
    if not (scene.present[i] and scene.present[j]):
        return
    between = motion.position[i] - motion.position[j]
    facing = exp(1j * motion.angle[i])
    inverse_facing = exp(-1j * motion.angle[j])
    deepest = 0.0
    arm_i = 0j
    for point in scene.outline[i]:
        local = (point * facing + between) * inverse_facing
        gap = _interpolated(scene.field[j, 0], scene.half, local) + _off_patch(
            scene.half, local
        )
        if gap < deepest:
            deepest, arm_i = gap, point * facing
    if deepest == 0:
        return
    _, normal, _ = nearest_surface(scene, motion, j, motion.position[i] + arm_i)
    arm_j = arm_i + between
    lever_i = (arm_i.conjugate() * normal).imag
    lever_j = (arm_j.conjugate() * normal).imag
    inertia_i = (numbers.inertia * scene.gyration[i]) ** 2
    inertia_j = (numbers.inertia * scene.gyration[j]) ** 2
    compliance = 1 / (2 + lever_j**2 / inertia_j + lever_i**2 / inertia_i)
    velocity_i = motion.velocity[i] + 1j * arm_i * motion.spin[i]
    velocity_j = motion.velocity[j] + 1j * arm_j * motion.spin[j]
    approach = ((velocity_j - velocity_i) * normal.conjugate()).real
    impulse = max(approach, 0.0) * compliance
    shift = -deepest * compliance
    for k, turning, sign in ((i, lever_i / inertia_i, 1), (j, lever_j / inertia_j, -1)):
        motion.position[k] += sign * shift * normal
        motion.angle[k] += sign * shift * turning
        motion.velocity[k] += sign * impulse * normal
        motion.spin[k] += sign * impulse * turning


@compiled
@no_type_check
def _keep_inside(scene, motion, numbers, low, high):
    """Push bodies back between the walls, where their outlines stand out farthest."""
    walls = ((high, -1 + 0j), (high, -1j), (low, 1 + 0j), (low, 1j))
    for k in range(len(scene.radius)):
        for corner, normal in walls:
            room = ((motion.position[k] - corner) * normal.conjugate()).real
            if not scene.present[k] or room > scene.radius[k]:
                continue
            facing = exp(1j * motion.angle[k])
            deepest = 0.0
            arm = 0j
            for point in scene.outline[k]:
                depth = -room - (point * facing * normal.conjugate()).real
                if depth > deepest:
                    deepest, arm = depth, point * facing
            if deepest > 0:
                _push_out(scene, motion, numbers, k, 0j, arm, normal, deepest)


@compiled
@no_type_check
def _stop_finger(scene, motion, numbers, tip):
    """Return the fingertip, moved out of the body that it is deepest in."""
    deepest = 0.0
    way_out = 0j
    for k in range(len(motion.angle)):
        gap, normal, _ = nearest_surface(scene, motion, k, tip)
        if gap - numbers.finger < deepest:
            deepest, way_out = gap - numbers.finger, normal
    return tip - deepest * way_out
