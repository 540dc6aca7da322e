"""Scenes of `pusht`: letters and the agent at random places that do not overlap."""

import math

import numpy as np

from visual_foresight.envs.pusht.camera import letter_distance
from visual_foresight.envs.pusht.letters import LETTERS
from visual_foresight.envs.pusht.states import (
    AGENT_RADIUS_MM,
    SIDE_MM,
    AgentState,
    LetterState,
    TableState,
)
from visual_foresight.types import Workspace

MOST_LETTERS = 3
EDGE_MM = 100.0
"""From the world's edge to the nearest centre of a letter, as in gym-pusht (`reset`)."""
GAP_MM = 5.0
"""Least distance between a letter and another, or the agent."""


def random_table(
    rng: np.random.Generator, letter: str, count: int, workspace: Workspace
) -> TableState:
    """Return a table with letters and the agent at rest.

    Args:
        rng: the source of all chance.
        letter: a key of `letters.LETTERS`.
        count: how many letters, at most `MOST_LETTERS`.
        workspace: where the agent may be, in metres.
    """
    letters = _place_letters(rng, letter, count)
    low = 1000 * np.array(workspace.low)
    high = 1000 * np.array(workspace.high)
    while True:
        x, y = rng.uniform(low, high).tolist()
        at = np.array([[x]]), np.array([[y]])
        nearest = min(letter_distance(letter, each, *at).item() for each in letters)
        if nearest > AGENT_RADIUS_MM + GAP_MM:
            return TableState(letter, AgentState((x, y)), letters)


def _place_letters(
    rng: np.random.Generator, letter: str, count: int
) -> tuple[LetterState, ...]:
    """Return letters that do not touch: their circles do not overlap."""
    least_mm = 2 * LETTERS[letter].radius_mm + GAP_MM
    while True:
        places = rng.uniform(EDGE_MM, SIDE_MM - EDGE_MM, (count, 2)).tolist()
        angles = rng.uniform(-np.pi, np.pi, count).tolist()
        far_apart = all(
            math.dist(place, other) > least_mm
            for number, place in enumerate(places)
            for other in places[:number]
        )
        if far_apart:
            return tuple(
                LetterState((x, y), angle) for (x, y), angle in zip(places, angles, strict=True)
            )
