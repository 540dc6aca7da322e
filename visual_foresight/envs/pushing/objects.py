"""What lies on the table: random rigid objects as URDF text, training kinds and held-out kinds,
disjoint.

Training kinds are built from coloured boxes and discs; held-out ones are meshes of
`pybullet_data/random_urdfs`.
"""

import colorsys
from dataclasses import dataclass

import numpy as np
import pybullet_data

TRAINING_KINDS = ("block", "bar", "disc", "ell", "tee", "pair")
HELD_OUT_KINDS = tuple(
    # Those of the first hundred whose height is the least of three sides and about 4 cm: they
    # lie flat as loaded.
    f"{number:03d}"
    for number in (0, 1, 2, 5, 7, 11, 16, 20)
)
DATA_FOLDER = "{pybullet_data}"
"""Stands in URDF texts for the folder of pybullet_data, so that a spec means the same on every
machine."""
HELD_OUT_SCALE = 0.7
"""The meshes are up to 16 cm long; at this scale they are 7 to 11 cm, like the training objects."""


@dataclass(frozen=True)
class ObjectSpec:
    """Everything that makes one object, so that a snapshot can build it again."""

    kind: str
    mass_kg: float
    friction: float
    urdf: str


@dataclass(frozen=True)
class Part:
    """A box (half sides in metres) or an upright disc (radius, radius, half height) of one colour."""

    shape: str
    half: tuple[float, float, float]
    offset: tuple[float, float, float]
    color: tuple[float, float, float]
    solid: bool = True


def random_spec(rng: np.random.Generator, held_out: bool) -> ObjectSpec:
    """Draw an object: kind, size, colours, mass in 0.1-0.4 kg, friction in 0.3-0.8."""
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
    """Lay out a training kind.

    Two solid parts of two colours and, on top, a patch of a third (texture for trackers).
    """
    first, second, third = (_color(rng) for _ in range(3))
    tall = float(rng.uniform(0.016, 0.022))  # half height

    def box(
        x: float, y: float, dx: float, dy: float, color: tuple[float, float, float]
    ) -> Part:
        return Part("box", (x, y, tall), (dx, dy, 0.0), color)

    def disc(radius: float, dx: float, color: tuple[float, float, float]) -> Part:
        return Part("disc", (radius, radius, tall), (dx, 0.0, 0.0), color)

    a, b = float(rng.uniform(0.029, 0.036)), float(rng.uniform(0.013, 0.017))
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
    lid_half = (base.half[0] * 0.55, base.half[1] * 0.45, 0.001)
    lid = Part(
        "box",
        lid_half,
        (base.offset[0] + base.half[0] * 0.2, base.offset[1], tall),
        third,
        solid=False,
    )
    return [*solid, lid]


def _parts_urdf(parts: list[Part]) -> str:
    elements = []
    for number, part in enumerate(parts):
        x, y, z = part.half
        size = (
            f'<box size="{2 * x} {2 * y} {2 * z}"/>'
            if part.shape == "box"
            else f'<cylinder radius="{x}" length="{2 * z}"/>'
        )
        body = f'<origin xyz="{" ".join(map(str, part.offset))}"/><geometry>{size}</geometry>'
        rgba = " ".join(f"{channel:.4f}" for channel in part.color)
        elements.append(
            f'<visual>{body}<material name="m{number}"><color rgba="{rgba} 1"/></material></visual>'
        )
        if part.solid:
            elements.append(f"<collision>{body}</collision>")
    return _robot("".join(elements))


def _mesh_urdf(kind: str, color: tuple[float, float, float]) -> str:
    scale = 0.015 * HELD_OUT_SCALE  # 0.015 is the scale in the original files
    mesh = f"{DATA_FOLDER}/random_urdfs/{kind}/{kind}.obj"
    body = f'<geometry><mesh filename="{mesh}" scale="{scale} {scale} {scale}"/></geometry>'
    rgba = " ".join(f"{channel:.4f}" for channel in color)
    visual = f'<visual>{body}<material name="m"><color rgba="{rgba} 1"/></material></visual>'
    return _robot(visual + f"<collision>{body}</collision>")


def _robot(elements: str) -> str:
    inertial = '<inertial><mass value="0.2"/><inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>'
    return f'<robot name="object"><link name="base">{inertial}{elements}</link></robot>'


def data_path() -> str:
    """Return the folder that `DATA_FOLDER` stands for."""
    return pybullet_data.getDataPath()
