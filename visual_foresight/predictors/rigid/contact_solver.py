"""What a finger does to flat rigid bodies on a table: mechanics in the plane, in small steps,
compiled.

Friction with the table is a limit surface (an ellipsoid: Goyal, Ruina & Papadopoulos 1991;
Lynch & Mason 1996); contacts are impulses without rebound, one after another, those with the
finger and the walls with Coulomb's friction. A place on the table is a complex number, x + iy
in metres, and so is everything with a direction; times are in actions: one lasts 1. Loops over
bodies and their outlines are what a compiler is for (numba; with `NUMBA_DISABLE_JIT=1` this is
plain Python), and thousands of small tensors are not.
"""

from cmath import exp
from collections.abc import Callable
from math import sqrt
from typing import Any, NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Complex, Float
from numba import njit

# of an action, an even number: what bodies and walls do to one another is looked at in every
# second one
SUBSTEPS = 24
MAX_STRIDE = 1.5  # of a finger that was held up, in what it would go in a substep


class Shapes(NamedTuple):
    """k bodies of b scenes, each in its own frame.

    Inside this file also of one scene, without the first axis.
    """

    field: Float[np.ndarray, "b k 3 g g"]
    """Signed distance to the outline, and its gradient, on a square patch around the middle;
    axes x, y."""
    half: float
    """Half of the patch's side."""
    rim: Complex[np.ndarray, "b k m"]
    """Points on the outline."""
    spread: Float[np.ndarray, "b k"]
    """Mean distance of the body's points to its middle."""
    gyration: Float[np.ndarray, "b k"]
    """Radius of gyration of the box around it."""
    present: Bool[np.ndarray, "b k"]
    """Where there is no body, the rest means nothing."""


class Motions(NamedTuple):
    """Where k bodies are for n candidates, and how they move.

    Inside this file also for one, without the first axis.
    """

    place: Complex[np.ndarray, "n k"]
    turn: Float[np.ndarray, "n k"]
    speed: Complex[np.ndarray, "n k"]
    spin: Float[np.ndarray, "n k"]


class Numbers(NamedTuple):
    """What cannot be seen: see `contact.Contact`."""

    rest: float
    inertia: float
    drag: float
    grip: float
    finger: float
    margin: float


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let numba compile a function when it is first called, and keep that for later processes if there is a place for it."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # neither beside this file nor in the user's cache
        return njit(nogil=True)(function)


@compiled
@no_type_check
def push_bodies(shapes, motions, numbers, walls, before, after):
    """Move the bodies of n candidates while the finger goes straight from one place towards
    another.

    Args:
        shapes: `Shapes` of one scene, or of one for each candidate.
        motions: `Motions`, which are written over.
        numbers: `Numbers`.
        walls: How far the fingertip reached: the corners at the least and at the largest x and
            y, complex.
        before: Where the finger is, complex, `n`.
        after: Where it would go, complex, `n`.

    Returns:
        Where it gets to, complex, `n`: there, unless a body that is held by a wall stands in
            its way. What is not finite, of
        a candidate or of the numbers, makes all of that candidate NaN.
    """
    reached = np.empty_like(before)
    margin = numbers.margin * (1 + 1j)
    walls = (walls[0] - margin, walls[1] + margin)
    for n in range(len(before)):
        b = n if len(shapes.field) > 1 else 0
        shape = Shapes(
            shapes.field[b],
            shapes.half,
            shapes.rim[b],
            shapes.spread[b],
            shapes.gyration[b],
            shapes.present[b],
        )
        motion = Motions(motions.place[n], motions.turn[n], motions.speed[n], motions.spin[n])
        reached[n] = _push_one(shape, motion, numbers, walls, before[n], after[n])
    return reached


@compiled
@no_type_check
def _push_one(shape, motion, numbers, walls, before, after):
    """Do so for one candidate, and return where the finger gets to."""
    if not _sound(motion, numbers, before + after):
        motion.place[:], motion.turn[:], motion.speed[:], motion.spin[:] = (
            np.nan,
            np.nan,
            np.nan,
            np.nan,
        )
        return complex(np.nan, np.nan)
    way, tip, previous_tip = after - before, before, before
    velocity, stride = way, MAX_STRIDE * abs(way) / SUBSTEPS
    radius = np.array([np.abs(rim).max() for rim in shape.rim])
    walled = _near_wall(shape, motion, numbers, walls, radius, way)
    for part in range(1, SUBSTEPS + 1):
        _slow(shape, motion, numbers)
        missing = before + way * (part / SUBSTEPS) - tip
        tip += missing * min(stride / max(abs(missing), 1e-9), 1.0)
        for k in range(len(radius)):
            gap, slope, arm = _meeting(shape, motion, k, tip)
            if gap < numbers.finger:
                _strike(
                    shape, motion, k, numbers, velocity, (arm, -slope, numbers.finger - gap)
                )
        if part % 2:
            continue
        for j in range(len(radius)):
            for i in range(len(radius)):
                if i != j and abs(motion.place[j] - motion.place[i]) < 1.1 * (
                    radius[j] + radius[i]
                ):
                    _collide(shape, motion, numbers, j, i)
        if walled:
            _hold(shape, motion, numbers, walls, radius)
            tip = _stopped(shape, motion, numbers, tip)
            velocity, previous_tip = (tip - previous_tip) * (SUBSTEPS / 2), tip
    return tip


@compiled
@no_type_check
def _sound(motion, numbers, tips):
    """Tell whether all is finite."""
    known = (
        numbers.rest
        + numbers.inertia
        + numbers.drag
        + numbers.grip
        + numbers.finger
        + numbers.margin
    )
    moves = np.isfinite(motion.speed).all() and np.isfinite(motion.spin).all()
    return (
        np.isfinite(known + tips)
        and moves
        and np.isfinite(motion.place).all()
        and np.isfinite(motion.turn).all()
    )


@compiled
@no_type_check
def _near_wall(shape, motion, numbers, walls, radius, way):
    """Tell whether a body could come to touch a wall within this action, given bodies' radii and the finger's way."""
    fastest = 0.0
    for k in range(len(radius)):
        fastest = max(
            fastest, abs(motion.speed[k]) + abs(motion.spin[k]) * numbers.rest * shape.spread[k]
        )
    for k in range(len(radius)):
        below, above = motion.place[k] - walls[0], walls[1] - motion.place[k]
        room = min(below.real, below.imag, above.real, above.imag)
        if shape.present[k] and room < radius[k] + 2 * (abs(way) + fastest):
            return True
    return False


@compiled
@no_type_check
def _slow(shape, motion, numbers):
    """Apply the table's friction, sliding and turning alike, down to rest, and move on by a substep."""
    for k in range(len(motion.turn)):
        arm, inertia = (
            numbers.rest * shape.spread[k],
            (numbers.inertia * shape.gyration[k]) ** 2,
        )
        pace = sqrt(abs(motion.speed[k]) ** 2 + (arm * motion.spin[k]) ** 2)
        if pace > 0:
            loss = numbers.drag / SUBSTEPS / pace
            motion.speed[k] *= max(1 - loss, 0.0)
            motion.spin[k] *= max(1 - loss * arm**2 / inertia, 0.0)
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
    x, y = (
        _looked_up(shape.field[k, 1], shape.half, local),
        _looked_up(shape.field[k, 2], shape.half, local),
    )
    slope = complex(x, y) * facing
    return gap, slope, away - slope * gap


@compiled
@no_type_check
def _looked_up(plane, half, local):
    """Return what a plane says about a place in its frame, between its cells' middles.

    Beyond them, what its rim says.
    """
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
def _strike(shape, motion, k, numbers, velocity, where):
    """Put a body out of the way of something immovable, and make it not slower than that.

    Args:
        shape: Of the bodies.
        motion: Of the bodies, which is written over.
        k: Which one.
        numbers: `Numbers`.
        goes: The speed of what strikes it.
        where: The arm from the body's middle, the direction into the body, and how deep the
            other is in it.
    """
    (arm, normal, depth), inertia = where, (numbers.inertia * shape.gyration[k]) ** 2
    turned = arm.conjugate() * normal
    # of the normal, and of the direction a quarter to its left
    lever, side_lever = turned.imag, turned.real
    slip = (velocity - motion.speed[k] - 1j * arm * motion.spin[k]) * normal.conjugate()
    ease = 1 / (1 + lever**2 / inertia)
    pushes, out = max(slip.real, 0.0) * ease, depth * ease
    side = slip.imag / (1 + side_lever**2 / inertia)
    most = numbers.grip * pushes
    side = min(max(side, -most), most)
    motion.place[k] += out * normal
    motion.turn[k] += out * lever / inertia
    motion.speed[k] += (pushes + 1j * side) * normal
    motion.spin[k] += (pushes * lever + side * side_lever) / inertia


@compiled
@no_type_check
def _collide(shape, motion, numbers, j, i):
    """Let bodies push one another, where the rim of one, i, is deepest in the other, j.

    Masses are alike.
    """
    if not (shape.present[i] and shape.present[j]):
        return
    between, facing = motion.place[i] - motion.place[j], exp(1j * motion.turn[i])
    inverse_heading = exp(-1j * motion.turn[j])
    deepest, other_arm = 0.0, 0j
    for point in shape.rim[i]:
        local = (point * facing + between) * inverse_heading
        gap = _looked_up(shape.field[j, 0], shape.half, local) + _beyond(shape.half, local)
        if gap < deepest:
            deepest, other_arm = gap, point * facing
    if deepest == 0:
        return
    _, normal, _ = _meeting(shape, motion, j, motion.place[i] + other_arm)
    arm = other_arm + between
    lever, other_lever = (arm.conjugate() * normal).imag, (other_arm.conjugate() * normal).imag
    inertia, other_inertia = (
        (numbers.inertia * shape.gyration[j]) ** 2,
        (numbers.inertia * shape.gyration[i]) ** 2,
    )
    ease = 1 / (2 + lever**2 / inertia + other_lever**2 / other_inertia)
    speed = motion.speed[j] + 1j * arm * motion.spin[j]
    other_speed = motion.speed[i] + 1j * other_arm * motion.spin[i]
    pushes = max(((speed - other_speed) * normal.conjugate()).real, 0.0) * ease
    out = -deepest * ease
    for k, turns, sign in ((i, other_lever / other_inertia, 1), (j, lever / inertia, -1)):
        motion.place[k] += sign * out * normal
        motion.turn[k] += sign * out * turns
        motion.speed[k] += sign * pushes * normal
        motion.spin[k] += sign * pushes * turns


@compiled
@no_type_check
def _hold(shape, motion, numbers, walls, radius):
    """Keep bodies between the walls, where their rims stand out farthest."""
    for k in range(len(radius)):
        for corner, normal in (
            (walls[1], -1 + 0j),
            (walls[1], -1j),
            (walls[0], 1 + 0j),
            (walls[0], 1j),
        ):
            room = ((motion.place[k] - corner) * normal.conjugate()).real
            if not shape.present[k] or room > radius[k]:
                continue
            facing, deepest, arm = exp(1j * motion.turn[k]), 0.0, 0j
            for point in shape.rim[k]:
                out = -room - (point * facing * normal.conjugate()).real
                if out > deepest:
                    deepest, arm = out, point * facing
            if deepest > 0:
                _strike(shape, motion, k, numbers, 0j, (arm, normal, deepest))


@compiled
@no_type_check
def _stopped(shape, motion, numbers, tip):
    """Return where the finger is: outside of what could not get out of its way."""
    nearest, way_out = 0.0, 0j
    for k in range(len(motion.turn)):
        gap, slope, _ = _meeting(shape, motion, k, tip)
        if gap - numbers.finger < nearest:
            nearest, way_out = gap - numbers.finger, slope
    return tip - nearest * way_out
