"""The simulator of `pusht`: gym-pusht's constants in pymunk, built anew for every state.

Where the source is named, it is gym-pusht 0.1.8 (Apache-2.0), `gym_pusht/envs/pusht.py`. Its pixels
are millimetres here. Differences: a letter's position is its centre of gravity, so that a state can
be set and read without rounding, and the walls are thick, so that a letter that is squeezed against
one comes back.
"""

import weakref

import pymunk

from visual_foresight.envs.pusht.letters import BAR_MM, LETTERS, THICK_MM
from visual_foresight.envs.pusht.states import (
    AGENT_RADIUS_MM,
    WALLS_MM,
    AgentState,
    LetterState,
    TableState,
)

WALL_THICKNESS_MM = 200.0
STIFFNESS, DAMPING = 100.0, 20.0
"""The agent's controller, per second squared and per second (`k_p, k_v`)."""
TIMESTEP_S = 0.01
SUBSTEPS = 10
"""Physics steps in a control step: 10 Hz (`int(1 / (self.dt * self.control_hz))`)."""
MASS = 1.0


class Simulator:
    """A table in a given state.

    pymunk remembers contacts that nobody can read or set (pymunk#181). So a state is gone back to
    by a new simulator (0.3 ms): then its future is the same bit for bit.
    """

    def __init__(self, state: TableState) -> None:
        self._letter = state.letter
        space = pymunk.Space()
        space.gravity = (0, 0)
        space.damping = 0.0  # nothing slides on
        space.add(*_walls(space.static_body))
        self._agent = pymunk.Body(body_type=pymunk.Body.KINEMATIC)
        self._agent.position = state.agent.place_mm
        self._agent.velocity = state.agent.velocity_mm
        space.add(self._agent, pymunk.Circle(self._agent, AGENT_RADIUS_MM))
        self._bodies = []
        for letter in state.letters:
            body, shapes = _letter_body(state.letter)
            body.angle = letter.angle
            body.position = letter.place_mm
            body.velocity = letter.velocity_mm
            body.angular_velocity = letter.spin
            space.add(body, *shapes)
            self._bodies.append(body)
        self._spaces = [space]
        # pymunk frees a space by its own functions, which are gone when Python has ended.
        weakref.finalize(self, self._spaces.clear)

    def advance(self, target_mm: tuple[float, float], control_steps: int) -> None:
        """Let the agent's controller pull it towards a place, for so many tenths of a second."""
        aim_x, aim_y = target_mm
        (space,) = self._spaces
        for _ in range(control_steps * SUBSTEPS):
            x, y = self._agent.position
            vx, vy = self._agent.velocity
            self._agent.velocity = (
                vx + (STIFFNESS * (aim_x - x) - DAMPING * vx) * TIMESTEP_S,
                vy + (STIFFNESS * (aim_y - y) - DAMPING * vy) * TIMESTEP_S,
            )
            space.step(TIMESTEP_S)

    def state(self) -> TableState:
        """Return the present state."""
        agent = AgentState(_pair(self._agent.position), _pair(self._agent.velocity))
        letters = tuple(
            LetterState(
                _pair(body.position), body.angle, _pair(body.velocity), body.angular_velocity
            )
            for body in self._bodies
        )
        return TableState(self._letter, agent, letters)


def _pair(vector: pymunk.Vec2d) -> tuple[float, float]:
    return (float(vector.x), float(vector.y))


def _letter_body(name: str) -> tuple[pymunk.Body, list[pymunk.Poly]]:
    """Return a letter's body and its shapes.

    The moment of inertia is gym-pusht's (`add_tee`): twice that of the bar about the middle of its
    upper edge, also for the stem, and although the body turns about its centre of gravity.
    """
    half = BAR_MM / 2
    bar = [(-half, THICK_MM), (half, THICK_MM), (half, 0.0), (-half, 0.0)]
    body = pymunk.Body(MASS, 2 * pymunk.moment_for_poly(MASS, bar))
    letter = LETTERS[name]
    boxes = (letter.bar, letter.below_bar)
    return body, [pymunk.Poly(body, box.corners_mm) for box in boxes]


def _walls(static: pymunk.Body) -> list[pymunk.Poly]:
    """Return the four walls."""
    low, high = WALLS_MM
    out_low, out_high = low - WALL_THICKNESS_MM, high + WALL_THICKNESS_MM
    rectangles = (
        (out_low, out_low, low, out_high),
        (high, out_low, out_high, out_high),
        (out_low, out_low, out_high, low),
        (out_low, high, out_high, out_high),
    )
    return [
        pymunk.Poly(static, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        for x0, y0, x1, y1 in rectangles
    ]
