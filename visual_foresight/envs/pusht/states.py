"""States of `pusht`, and the measures of its table, which need no simulator.

Where a function is named, it is of gym-pusht 0.1.8 (Apache-2.0), `gym_pusht/envs/pusht.py`, whose
pixels are millimetres here.
"""

from dataclasses import dataclass

SIDE_MM = 512.0
"""Side of the square world (`Surface((512, 512))`)."""
WALLS_MM = (7.0, 504.0)
"""Inner faces of the walls: segments at 5 and 506 with a radius of 2 (`_setup`)."""
AGENT_RADIUS_MM = 15.0
"""`add_circle(self.space, (256, 400), 15)`"""


@dataclass(frozen=True)
class AgentState:
    """Where the agent is and how it moves."""

    place_mm: tuple[float, float]
    velocity_mm: tuple[float, float] = (0.0, 0.0)
    """Per second."""


@dataclass(frozen=True)
class LetterState:
    """Where a letter is and how it moves."""

    place_mm: tuple[float, float]
    """Of its centre of gravity."""
    angle: float
    """From x to y, in radians."""
    velocity_mm: tuple[float, float] = (0.0, 0.0)
    """Per second."""
    spin: float = 0.0
    """Radians per second."""


@dataclass(frozen=True)
class TableState:
    """The whole state of the simulator."""

    letter: str
    """What is pushed, a key of `letters.LETTERS`."""
    agent: AgentState
    letters: tuple[LetterState, ...]


@dataclass(frozen=True)
class Snapshot:
    """The whole state of the world."""

    table: TableState
    commanded_m: tuple[float, float]
    """(x, y) where the agent was sent last."""
