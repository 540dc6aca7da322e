"""What a finger does to flat rigid bodies on a table: mechanics in the plane, in small steps, compiled.

Friction with the table is a limit surface (an ellipsoid: Goyal, Ruina & Papadopoulos 1991; Lynch & Mason 1996); contacts are
impulses without rebound, with Coulomb's friction, one after another. A place on the table is a complex number, x + iy in
metres, and so is everything with a direction; times are in actions: one lasts 1. Loops over bodies and their outlines are what
a compiler is for (numba; with `NUMBA_DISABLE_JIT=1` this is plain Python), and thousands of small tensors are not.
"""

from cmath import exp
from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Complex, Float
from numba import njit

SUBSTEPS = 24  # of an action; what bodies and walls do to one another is looked at in every second one
MAX_STRIDE = 1.5  # of a finger that was held up, in what it would go in a substep


class Shapes(NamedTuple):
    """k bodies of b scenes, each in its own frame; inside this file also of one scene, without the first axis."""

    field: Float[np.ndarray, "b k 3 g g"]
    """Signed distance to the outline, and its gradient, on a square patch around the middle; axes x, y."""
    half: float
    """Half of the patch's side."""
    rim: Complex[np.ndarray, "b k m"]
    """Points on the outline."""
    rest: Float[np.ndarray, "b k"]
    """Radius on which the weight rests, squared."""
    inertia: Float[np.ndarray, "b k"]
    """Radius of gyration, squared."""
    present: Bool[np.ndarray, "b k"]


class Motions(NamedTuple):
    """Where k bodies are for n candidates, and how they move; inside this file also for one, without the first axis."""

    place: Complex[np.ndarray, "n k"]
    turn: Float[np.ndarray, "n k"]
    speed: Complex[np.ndarray, "n k"]
    spin: Float[np.ndarray, "n k"]


class Surroundings(NamedTuple):
    """What bodies meet."""

    drag: float
    """Deceleration by the table's friction, metres per action squared."""
    grip: float
    """Coulomb's coefficient of contacts."""
    finger: float
    """Radius of the fingertip."""
    low: complex
    """Corner between the walls, at the least x and y,"""
    high: complex
    """and at the largest."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let numba compile a function when it is first called, and keep that for later processes if there is a place for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache
        return njit(nogil=True)(function)


@compiled
@no_type_check
def push(shapes, motions, around, before, after):
    """Move the bodies of n candidates while the finger goes straight from one place towards another.

    Args:
        shapes: `Shapes` of one scene, or of one for each candidate.
        motions: `Motions`, which are written over.
        around: `Surroundings`.
        before: Where the finger is, complex, `n`.
        after: Where it would go, complex, `n`.

    Returns:
        Where it gets to, complex, `n`: there, unless a body that is held by a wall stands in its way.
    """
    reached = np.empty_like(before)
    for n in range(len(before)):
        b = min(n, len(shapes.field) - 1)
        shape = Shapes(
            shapes.field[b], shapes.half, shapes.rim[b], shapes.rest[b], shapes.inertia[b], shapes.present[b]
        )
        motion = Motions(motions.place[n], motions.turn[n], motions.speed[n], motions.spin[n])
        reached[n] = _push_one(shape, motion, around, before[n], after[n])
    return reached


@compiled
@no_type_check
def _push_one(shape, motion, around, before, after):
    """Do so for one candidate."""
    way, tip, came = after - before, before, before
    goes, stride = way, MAX_STRIDE * abs(way) / SUBSTEPS
    radius = np.array([np.abs(rim).max() for rim in shape.rim])
    walled = _near_wall(shape, motion, around, radius, way)
    for part in range(1, SUBSTEPS + 1):
        _slow(shape, motion, around)
        missing = before + way * (part / SUBSTEPS) - tip
        tip += missing * min(stride / max(abs(missing), 1e-9), 1.0)
        for k in range(len(radius)):
            gap, slope, arm = _meeting(shape, motion, k, tip)
            if gap < around.finger:
                _strike(shape, motion, k, around.grip, goes, (arm, -slope, around.finger - gap))
        if part % 2:
            continue
        for j in range(len(radius)):
            for i in range(len(radius)):
                if i != j and abs(motion.place[j] - motion.place[i]) < 1.1 * (radius[j] + radius[i]):
                    _collide(shape, motion, j, i)
        if walled:
            _hold(shape, motion, around, radius)
            tip = _stopped(shape, motion, around, tip)
            goes, came = (tip - came) * (SUBSTEPS / 2), tip
    return tip


@compiled
@no_type_check
def _near_wall(shape, motion, around, radius, way):
    """Tell whether a body could come to touch a wall within this action."""
    fastest = 0.0
    for k in range(len(radius)):
        fastest = max(fastest, abs(motion.speed[k]) + abs(motion.spin[k]) * sqrt(shape.rest[k]))
    for k in range(len(radius)):
        below, above = motion.place[k] - around.low, around.high - motion.place[k]
        room = min(below.real, below.imag, above.real, above.imag)
        if shape.present[k] and room < radius[k] + 2 * (abs(way) + fastest):
            return True
    return False


@compiled
@no_type_check
def _slow(shape, motion, around):
    """Apply the table's friction, sliding and turning alike, down to rest, and move on by a substep."""
    for k in range(len(motion.turn)):
        pace = sqrt(abs(motion.speed[k]) ** 2 + shape.rest[k] * motion.spin[k] ** 2)
        if pace > 0:
            loss = around.drag / SUBSTEPS / pace
            motion.speed[k] *= max(1 - loss, 0.0)
            motion.spin[k] *= max(1 - loss * shape.rest[k] / shape.inertia[k], 0.0)
            motion.place[k] += motion.speed[k] / SUBSTEPS
            motion.turn[k] += motion.spin[k] / SUBSTEPS


@compiled
@no_type_check
def _meeting(shape, motion, k, there):
    """Return how far a body is from a place, the direction from its surface to there, and the arm to that surface."""
    if not shape.present[k]:
        return np.inf, 0j, 0j
    facing, away = exp(1j * motion.turn[k]), there - motion.place[k]
    local = away * facing.conjugate()
    gap = _looked_up(shape.field[k, 0], shape.half, local) + _beyond(shape.half, local)
    x, y = _looked_up(shape.field[k, 1], shape.half, local), _looked_up(shape.field[k, 2], shape.half, local)
    slope = complex(x, y) * facing
    return gap, slope, away - slope * gap


@compiled
@no_type_check
def _looked_up(plane, half, local):
    """Return what a plane says about a place in its frame, between its cells' middles; beyond them, what its rim says."""
    last = len(plane) - 1
    row = min(max(((local.real / half + 1) * (last + 1) - 1) / 2, 0.0), float(last))
    col = min(max(((local.imag / half + 1) * (last + 1) - 1) / 2, 0.0), float(last))
    top, left = min(int(row), last - 1), min(int(col), last - 1)
    down, right = row - top, col - left
    upper = plane[top, left] * (1 - right) + plane[top, left + 1] * right
    lower = plane[top + 1, left] * (1 - right) + plane[top + 1, left + 1] * right
    return upper * (1 - down) + lower * down


@compiled
@no_type_check
def _beyond(half, local):
    """Return how far outside of the patch a place is."""
    return abs(complex(max(abs(local.real) - half, 0.0), max(abs(local.imag) - half, 0.0)))


@compiled
@no_type_check
def _strike(shape, motion, k, grip, goes, where):
    """Put a body out of the way of something immovable, and make it not slower than that.

    Args:
        shape: Of the bodies.
        motion: Of the bodies, which is written over.
        k: Which one.
        grip: Coulomb's coefficient.
        goes: The speed of what strikes it.
        where: The arm from the body's middle, the direction into the body, and how deep the other is in it.
    """
    (arm, normal, depth), inertia = where, shape.inertia[k]
    turned = arm.conjugate() * normal
    lever, side_lever = turned.imag, turned.real  # of the normal, and of the direction a quarter to its left
    slip = (goes - motion.speed[k] - 1j * arm * motion.spin[k]) * normal.conjugate()
    ease = 1 / (1 + lever**2 / inertia)
    pushes, out = max(slip.real, 0.0) * ease, depth * ease
    side = slip.imag / (1 + side_lever**2 / inertia)
    side = min(max(side, -grip * pushes), grip * pushes)
    motion.place[k] += out * normal
    motion.turn[k] += out * lever / inertia
    motion.speed[k] += (pushes + 1j * side) * normal
    motion.spin[k] += (pushes * lever + side * side_lever) / inertia


@compiled
@no_type_check
def _collide(shape, motion, j, i):
    """Let bodies push one another, where the rim of one, i, is deepest in the other, j; masses are alike."""
    if not (shape.present[i] and shape.present[j]):
        return
    between, facing = motion.place[i] - motion.place[j], exp(1j * motion.turn[i])
    back = exp(-1j * motion.turn[j])
    deepest, other_arm = 0.0, 0j
    for point in shape.rim[i]:
        local = (point * facing + between) * back
        gap = _looked_up(shape.field[j, 0], shape.half, local) + _beyond(shape.half, local)
        if gap < deepest:
            deepest, other_arm = gap, point * facing
    if deepest == 0:
        return
    _, normal, _ = _meeting(shape, motion, j, motion.place[i] + other_arm)
    arm = other_arm + between
    lever, other_lever = (arm.conjugate() * normal).imag, (other_arm.conjugate() * normal).imag
    ease = 1 / (2 + lever**2 / shape.inertia[j] + other_lever**2 / shape.inertia[i])
    speed = motion.speed[j] + 1j * arm * motion.spin[j]
    other_speed = motion.speed[i] + 1j * other_arm * motion.spin[i]
    pushes = max(((speed - other_speed) * normal.conjugate()).real, 0.0) * ease
    out = -deepest * ease
    for k, its_lever, sign in ((i, other_lever, 1), (j, lever, -1)):
        motion.place[k] += sign * out * normal
        motion.turn[k] += sign * out * its_lever / shape.inertia[k]
        motion.speed[k] += sign * pushes * normal
        motion.spin[k] += sign * pushes * its_lever / shape.inertia[k]


@compiled
@no_type_check
def _hold(shape, motion, around, radius):
    """Keep bodies between the walls, where their rims stand out farthest."""
    for k in range(len(radius)):
        for corner, normal in ((around.high, -1 + 0j), (around.high, -1j), (around.low, 1 + 0j), (around.low, 1j)):
            room = ((motion.place[k] - corner) * normal.conjugate()).real
            if not shape.present[k] or room > radius[k]:
                continue
            facing, deepest, arm = exp(1j * motion.turn[k]), 0.0, 0j
            for point in shape.rim[k]:
                out = -room - (point * facing * normal.conjugate()).real
                if out > deepest:
                    deepest, arm = out, point * facing
            if deepest > 0:
                _strike(shape, motion, k, around.grip, 0j, (arm, normal, deepest))


@compiled
@no_type_check
def _stopped(shape, motion, around, tip):
    """Return where the finger is: outside of what could not get out of its way."""
    nearest, way_out = 0.0, 0j
    for k in range(len(motion.turn)):
        gap, slope, _ = _meeting(shape, motion, k, tip)
        if gap - around.finger < nearest:
            nearest, way_out = gap - around.finger, slope
    return tip - nearest * way_out
