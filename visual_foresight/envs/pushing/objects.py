"""Random rigid objects for the pushing table, as URDF text.

Objects of the training kinds are built from coloured boxes and discs. Those of the held-out kinds
are meshes of `pybullet_data/random_urdfs`.
"""

import colorsys
from dataclasses import dataclass

import numpy as np
import pybullet_data

TRAINING_KINDS = ("block", "bar", "disc", "ell", "tee", "pair")
# Meshes among the first hundred that are about 4 cm high and longer in both other directions, so
# that they lie flat as loaded.
HELD_OUT_KINDS = ("000", "001", "002", "005", "007", "011", "016", "020")
# The scale of the meshes in their own files is 0.015, which makes them up to 16 cm long. At 0.7 of
# it they are 7 to 11 cm long, like the training objects.
MESH_SCALE = 0.015 * 0.7
# Stands in URDF text for the folder of pybullet_data, so that a spec means the same on every
# machine.
DATA_FOLDER = "{pybullet_data}"


@dataclass(frozen=True)
class ObjectSpec:
    """Everything that is needed to build an object, so that a snapshot can build it again."""

    kind: str
    mass_kg: float
    friction: float
    urdf: str


@dataclass(frozen=True)
class Part:
    """A piece of an object, of one colour."""

    shape: str
    """Either "box" or "disc", an upright cylinder."""
    half: tuple[float, float, float]
    """Half sides of a box, or (radius, radius, half height) of a disc (metres)."""
    offset: tuple[float, float, float]
    """Of its centre in the object's frame (metres)."""
    color: tuple[float, float, float]
    """Red, green and blue, from 0 to 1."""
    solid: bool = True
    """Whether it collides."""


def random_spec(rng: np.random.Generator, held_out: bool) -> ObjectSpec:
    """Draw an object: kind, size, colours, mass (0.1 to 0.4 kg) and friction (0.3 to 0.8)."""
    kinds = HELD_OUT_KINDS if held_out else TRAINING_KINDS
    kind = kinds[int(rng.integers(len(kinds)))]
    text = _mesh_urdf(kind, _color(rng)) if held_out else _parts_urdf(_parts(kind, rng))
    return ObjectSpec(kind, float(rng.uniform(0.1, 0.4)), float(rng.uniform(0.3, 0.8)), text)


def _color(rng: np.random.Generator) -> tuple[float, float, float]:
    """Draw a saturated colour, so that objects stand out from the table and the arm."""
    return colorsys.hsv_to_rgb(
        float(rng.uniform()), float(rng.uniform(0.6, 1)), float(rng.uniform(0.35, 1))
    )


def _parts(kind: str, rng: np.random.Generator) -> list[Part]:
    """Return the parts of an object of a training kind, with random sizes and colours.

    It has one or two solid parts, and on top a patch of another colour, as texture for trackers.
    """
    first = _color(rng)
    second = _color(rng)
    third = _color(rng)
    half_height = float(rng.uniform(0.016, 0.022))

    def box(
        x: float, y: float, dx: float, dy: float, color: tuple[float, float, float]
    ) -> Part:
        return Part("box", (x, y, half_height), (dx, dy, 0.0), color)

    def disc(radius: float, dx: float, color: tuple[float, float, float]) -> Part:
        return Part("disc", (radius, radius, half_height), (dx, 0.0, 0.0), color)

    a = float(rng.uniform(0.029, 0.036))
    b = float(rng.uniform(0.013, 0.017))
    layouts = {
        "block": [box(a / 2, a * 0.8, -a / 2, 0, first), box(a / 2, a * 0.8, a / 2, 0, second)],
        "bar": [box(a * 0.7, b, -a * 0.7, 0, first), box(a * 0.7, b, a * 0.7, 0, second)],
        "disc": [disc(a, 0, first)],
        "ell": [box(a * 1.2, b, 0, -a + b, first), box(b, a, -a * 1.2 + b, b, second)],
        "tee": [box(a * 1.2, b, 0, -a + b, first), box(b, a, 0, b, second)],
        "pair": [disc(a * 0.8, -a * 0.6, first), box(a * 0.6, a * 0.6, a * 0.6, 0, second)],
    }
    solid = layouts[kind]
    base = solid[0]
    half = (base.half[0] * 0.55, base.half[1] * 0.45, 0.001)
    offset = (base.offset[0] + base.half[0] * 0.2, base.offset[1], half_height)
    patch = Part("box", half, offset, third, solid=False)
    return [*solid, patch]


def _parts_urdf(parts: list[Part]) -> str:
    elements = []
    for number, part in enumerate(parts):
        x, y, z = part.half
        if part.shape == "box":
            shape = f'<box size="{2 * x} {2 * y} {2 * z}"/>'
        else:
            shape = f'<cylinder radius="{x}" length="{2 * z}"/>'
        body = f'<origin xyz="{" ".join(map(str, part.offset))}"/><geometry>{shape}</geometry>'
        elements.append(_visual(body, f"m{number}", part.color))
        if part.solid:
            elements.append(f"<collision>{body}</collision>")
    return _robot("".join(elements))


def _mesh_urdf(kind: str, color: tuple[float, float, float]) -> str:
    mesh = f"{DATA_FOLDER}/random_urdfs/{kind}/{kind}.obj"
    scale = f"{MESH_SCALE} {MESH_SCALE} {MESH_SCALE}"
    body = f'<geometry><mesh filename="{mesh}" scale="{scale}"/></geometry>'
    return _robot(_visual(body, "m", color) + f"<collision>{body}</collision>")


def _visual(body: str, material: str, color: tuple[float, float, float]) -> str:
    rgba = " ".join(f"{channel:.4f}" for channel in color)
    color_element = f'<material name="{material}"><color rgba="{rgba} 1"/></material>'
    return f"<visual>{body}{color_element}</visual>"


def _robot(elements: str) -> str:
    inertial = (
        '<inertial><mass value="0.2"/>'
        '<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>'
    )
    return f'<robot name="object"><link name="base">{inertial}{elements}</link></robot>'


def data_path() -> str:
    """Return the folder of pybullet_data, which `DATA_FOLDER` stands for."""
    return pybullet_data.getDataPath()
