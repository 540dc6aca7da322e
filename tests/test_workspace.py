"""The limits of the arm: what is carried out of any actions, from any state."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from visual_foresight.types import Workspace

NUM_STEPS = 5
QUICK = settings(max_examples=50)


AXES = st.lists(
    st.tuples(st.floats(-1, 1), st.floats(0.01, 2), st.floats(0.01, 0.5)),
    min_size=1,
    max_size=3,
)
"""Lower end, width and step of each axis: from narrower than a step to many steps wide."""
SEEDS = st.integers(0, 2**31)
LARGEST = st.sampled_from((0.1, 1.0, 3.0))  # size of the actions


def workspace_of(axes: list[tuple[float, float, float]]) -> Workspace:
    return Workspace(
        tuple(low for low, _, _ in axes),
        tuple(low + width for low, width, _ in axes),
        tuple(step for _, _, step in axes),
    )


def state_in(workspace: Workspace, seed: int) -> Tensor:
    """Return a state inside, with one number more than actions have."""
    low = torch.tensor(workspace.low)
    high = torch.tensor(workspace.high)
    shares = torch.rand(len(low), generator=torch.Generator().manual_seed(seed))
    return torch.cat([low + (high - low) * shares, torch.ones(1)])


def actions_for(workspace: Workspace, seed: int, largest: float) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    noise = torch.rand(4, NUM_STEPS, len(workspace.low), generator=rng)
    return largest * (2 * noise - 1)


def places_of(workspace: Workspace, state: Tensor, actions: Tensor) -> Tensor:
    return state[:-1] + (actions * torch.tensor(workspace.step)).cumsum(1)


@QUICK
@given(AXES, SEEDS, LARGEST)
def test_clipped_actions_are_in_range_and_lead_to_no_place_outside(axes, seed, largest) -> None:
    workspace = workspace_of(axes)
    state = state_in(workspace, seed)
    actions = actions_for(workspace, seed, largest)
    clipped = workspace.clip(state, actions)
    assert clipped.shape == actions.shape and clipped.abs().max() <= 1 + 1e-4
    places = places_of(workspace, state, clipped)
    assert (places >= torch.tensor(workspace.low) - 1e-5).all()
    assert (places <= torch.tensor(workspace.high) + 1e-5).all()


@QUICK
@given(AXES, SEEDS, LARGEST)
def test_what_is_clipped_twice_is_clipped_once(axes, seed, largest) -> None:
    workspace = workspace_of(axes)
    state = state_in(workspace, seed)
    actions = actions_for(workspace, seed, largest)
    once = workspace.clip(state, actions)
    torch.testing.assert_close(workspace.clip(state, once), once, atol=1e-4, rtol=0)


@QUICK
@given(AXES, SEEDS, LARGEST, st.integers(0, NUM_STEPS))
def test_what_comes_later_changes_nothing_before(axes, seed, largest, num_steps: int) -> None:
    workspace = workspace_of(axes)
    state = state_in(workspace, seed)
    actions = actions_for(workspace, seed, largest)
    prefix = workspace.clip(state, actions[:, :num_steps])
    assert torch.equal(prefix, workspace.clip(state, actions)[:, :num_steps])


@QUICK
@given(AXES, SEEDS, LARGEST)
def test_candidates_do_not_know_each_other(axes, seed, largest) -> None:
    workspace = workspace_of(axes)
    state = state_in(workspace, seed)
    actions = actions_for(workspace, seed, largest)
    alone = [workspace.clip(state, each[None]) for each in actions]
    assert torch.equal(torch.cat(alone), workspace.clip(state, actions))


@QUICK
@given(AXES, SEEDS, LARGEST)
def test_actions_that_stay_inside_are_left_alone(axes, seed, largest) -> None:
    workspace = workspace_of(axes)
    state = state_in(workspace, seed)
    actions = actions_for(workspace, seed, largest)
    kept = actions.clamp(-1, 1)
    places = places_of(workspace, state, kept)
    inside = (places >= torch.tensor(workspace.low)) & (places <= torch.tensor(workspace.high))
    inside_throughout = inside.all(1, keepdim=True).expand_as(kept)
    found = workspace.clip(state, actions)
    torch.testing.assert_close(
        found[inside_throughout], kept[inside_throughout], atol=1e-4, rtol=0
    )


@QUICK
@given(AXES, SEEDS, LARGEST, st.floats(1.0, 50.0))
def test_a_state_outside_is_taken_for_the_nearest_one_inside(
    axes, seed, largest, away: float
) -> None:
    workspace = workspace_of(axes)
    state = state_in(workspace, seed)
    actions = actions_for(workspace, seed, largest)
    outside = state.clone()
    outside[0] = workspace.high[0] + away
    border = state.clone()
    border[0] = workspace.high[0]
    assert torch.equal(workspace.clip(outside, actions), workspace.clip(border, actions))
