"""The sweeping explorer: it reaches everything, and prefers what it may push."""

import numpy as np

from visual_foresight.collect.explorers.sweeps import SweepingExplorer
from visual_foresight.types import Observation, Workspace

WORKSPACE = Workspace(low=(0.0, 0.0), high=(0.4, 0.5), step=(0.04, 0.05))


def roam(
    explorer: SweepingExplorer, workspace: Workspace, num_steps: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Let an explorer act in an empty workspace; return its actions and its states."""
    rng = np.random.default_rng(seed)
    state = rng.uniform(workspace.low, workspace.high).astype(np.float32)
    actions, states = [], [state]
    for _ in range(num_steps):
        observation = Observation.single(np.zeros((2, 3, 3), np.uint8), states[-1])
        actions.append(explorer.act(observation, rng))
        states.append((states[-1] + actions[-1] * workspace.step).astype(np.float32))
    return np.array(actions), np.array(states)


def find_nothing(observation: Observation) -> np.ndarray:
    return np.empty((0, 2))


def test_strokes_reach_all_places_and_have_all_actions() -> None:
    actions, states = roam(SweepingExplorer(WORKSPACE, find_nothing), WORKSPACE, 800, seed=0)
    for axis in range(2):
        assert (np.histogram(actions[:, axis], 8, (-1.001, 1.001))[0] > 15).all()
        assert (
            np.histogram(states[:, axis], 6, (WORKSPACE.low[axis], WORKSPACE.high[axis]))[0]
            > 25
        ).all()
    assert (np.abs(actions).max(axis=1) < 0.01).mean() > 0.01  # it stops at times


def test_most_strokes_lead_through_a_target() -> None:
    place = np.array([0.1, 0.4])  # off the middle, where few strokes lead by chance

    def nearest_m(find_place: bool) -> float:
        distances = []
        for seed in range(20):
            find = (lambda _: place[None]) if find_place else find_nothing
            _, states = roam(SweepingExplorer(WORKSPACE, find), WORKSPACE, 12, seed)
            distances.append(np.linalg.norm(states - place, axis=1).min())
        return float(np.mean(distances))

    assert nearest_m(True) < 0.5 * nearest_m(False)


def test_height_and_yaw_vary_but_mostly_the_finger_is_down() -> None:
    workspace = Workspace((0.0, 0.0, 0.01, -1.0), (0.4, 0.5, 0.1, 1.0), (0.04, 0.05, 0.03, 0.3))
    actions, states = roam(SweepingExplorer(workspace, find_nothing), workspace, 300, seed=0)
    assert (actions.std(axis=0)[2:] > 0.05).all()
    assert (states[:, 2] < 0.045).mean() > 0.5
    assert states[:, 2].max() > 0.06
    assert states[:, 3].std() > 0.2
