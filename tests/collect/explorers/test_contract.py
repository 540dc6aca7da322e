"""What every explorer promises (see `Explorer`), over the registry."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from visual_foresight.collect.explorers.registry import DEFAULT_EXPLORER, EXPLORERS, Explorer
from visual_foresight.collect.recorder import record_episode
from visual_foresight.env_info import EnvInfo, View
from visual_foresight.envs.dot import DotEnv
from visual_foresight.types import Observation, Workspace

PLANAR = Workspace(low=(0.0, -0.3), high=(0.4, 0.2), step=(0.04, 0.05))
SPATIAL = Workspace((0.3, -0.2, 0.01, -1.0), (0.7, 0.2, 0.1, 1.0), (0.04, 0.04, 0.03, 0.3))
TARGETS = (np.empty((0, 2)), np.array([[0.35, 0.1]]), np.array([[0.31, 0.0], [0.4, 0.2]]))
EPS = 1e-6

workspaces = pytest.mark.parametrize("workspace", [PLANAR, SPATIAL], ids=["planar", "spatial"])
names = pytest.mark.parametrize("name", sorted(EXPLORERS))


def explore(
    name: str, workspace: Workspace, targets: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Let an explorer act; return its actions and the states that they lead to."""
    rng = np.random.default_rng(seed)
    size = workspace.action_size
    info = EnvInfo({"top": View((4, 6))}, size, size, workspace)
    explorer = EXPLORERS[name](info, lambda observation: targets)
    assert isinstance(explorer, Explorer)
    frame = np.zeros((4, 6, 3), np.uint8)
    states = [rng.uniform(workspace.low, workspace.high).astype(np.float32)]
    actions = []
    for _ in range(30):
        state = states[-1].copy()
        actions.append(explorer.act(Observation.single(frame, states[-1]), rng))
        assert (states[-1] == state).all() and not frame.any(), "it changes no observation"
        states.append((states[-1] + actions[-1] * workspace.step).astype(np.float32))
    return np.array(actions), np.array(states)


@names
@workspaces
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), num_targets=st.sampled_from((0, 1, 2)))
def test_actions_keep_to_the_workspace(
    name: str, workspace: Workspace, seed: int, num_targets: int
) -> None:
    actions, states = explore(name, workspace, TARGETS[num_targets], seed)
    assert actions.dtype == np.float32
    assert actions.shape == (30, len(workspace.low))
    assert (np.abs(actions) <= 1 + EPS).all()
    feasible = workspace.clip(torch.from_numpy(states[0]), torch.from_numpy(actions)[None])[0]
    np.testing.assert_allclose(feasible, actions, atol=1e-5)
    assert (states >= np.array(workspace.low) - EPS).all()
    assert (states <= np.array(workspace.high) + EPS).all()
    assert np.abs(np.diff(states, axis=0)).sum() > 0


@names
@workspaces
def test_actions_depend_on_the_generator_alone(name: str, workspace: Workspace) -> None:
    first, _ = explore(name, workspace, TARGETS[1], seed=3)
    again, _ = explore(name, workspace, TARGETS[1], seed=3)
    other, _ = explore(name, workspace, TARGETS[1], seed=4)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@names
def test_episodes_are_recorded_with_it(name: str) -> None:
    episode = record_episode(DotEnv((20, 28)), 0, 0, num_steps=12, explorer=name)
    assert len(episode.actions) == 12
    assert np.ptp(episode.states, axis=0).max() > 0


def test_the_default_is_registered() -> None:
    assert DEFAULT_EXPLORER in EXPLORERS
