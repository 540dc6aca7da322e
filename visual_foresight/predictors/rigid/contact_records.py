"""What the contact solver works on: bodies' shapes, their motions, and physical parameters.

Arrays of NumPy in named tuples, since numba knows these. A position or a direction in the plane is
a complex number, x + iy in metres; angles are in radians; velocities are per action.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Complex, Complex128, Float


class Shapes(NamedTuple):
    """The k bodies of each of b scenes, each body in its own frame. Lengths in metres."""

    field: Float[np.ndarray, "b k 3 g g"]
    """Signed distance to the outline (negative inside), and its gradient (x, y), on a square patch
    around the body's position; axes x, y."""
    half: float
    """Half of the patch's side."""
    outline: Complex[np.ndarray, "b k m"]
    """Points on the outline."""
    spread: Float[np.ndarray, "b k"]
    """Mean distance of the body's points to its position."""
    gyration: Float[np.ndarray, "b k"]
    """Radius of gyration of the box around the body."""
    present: Bool[np.ndarray, "b k"]
    """False where there is no body; its other entries mean nothing."""


class Motions(NamedTuple):
    """Poses and velocities of the k bodies of each of n candidates."""

    position: Complex[np.ndarray, "n k"]
    angle: Float[np.ndarray, "n k"]
    velocity: Complex[np.ndarray, "n k"]
    spin: Float[np.ndarray, "n k"]


class Numbers(NamedTuple):
    """The physical parameters; `contact_module.ContactModule` says what they mean."""

    rest: float
    inertia: float
    drag: float
    grip: float
    finger: float
    margin: float


class SceneShapes(NamedTuple):
    """The k bodies of one scene: `Shapes` without the first axis, and each body's radius."""

    field: Float[np.ndarray, "k 3 g g"]
    half: float
    outline: Complex[np.ndarray, "k m"]
    spread: Float[np.ndarray, " k"]
    gyration: Float[np.ndarray, " k"]
    present: Bool[np.ndarray, " k"]
    radius: Float[np.ndarray, " k"]
    """Largest distance of a point on the outline to the body's position."""


class SceneMotion(NamedTuple):
    """The k bodies of one candidate: `Motions` without the first axis, as views to write to."""

    position: Complex128[np.ndarray, " k"]
    angle: Float[np.ndarray, " k"]
    velocity: Complex128[np.ndarray, " k"]
    spin: Float[np.ndarray, " k"]
