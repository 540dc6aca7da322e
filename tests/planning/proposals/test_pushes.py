"""Known answers and laws of the proposed pushes."""

from dataclasses import replace

import numpy as np
import torch

from tests.fakes.clips import clip_of
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.planning.proposals.pushes import PushConfig, PushProposals
from visual_foresight.types import Pixel, Workspace

WORKSPACE = Workspace((0.0, 0.0), (0.6, 0.5), (0.04, 0.05))
HOMOGRAPHY = np.diag([0.01, 0.01, 1.0])  # a centimetre per pixel
EXACT = PushConfig(
    turn_std=0.0,
    side_std_m=0.0,
    reach=(1.0, 1.0),
    touch_m=(0.03, 0.03),
    direct_share=0.0,
)


def propose(
    tip: tuple[float, float], config: PushConfig, seed: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return proposals to push from (30, 25) to (40, 25), and the ways of the fingertip."""
    clip = clip_of(torch.zeros(1, 3, 60, 50), states=torch.tensor([[*tip, 0.0]]))
    goal = PixelGoal((Pixel(30.0, 25.0),), (Pixel(40.0, 25.0),))
    rng = torch.Generator().manual_seed(seed)
    actions = PushProposals(WORKSPACE, HOMOGRAPHY, 20, 14, config)(
        clip, goal.sources, goal, rng
    )
    return actions, torch.tensor(tip) + (actions * torch.tensor(WORKSPACE.step)).cumsum(1)


def test_an_exact_push_ends_where_the_point_would_be_at_the_goal() -> None:
    actions, ways = propose((0.1, 0.25), EXACT)
    assert actions.shape == (20, 14, 2)
    torch.testing.assert_close(
        ways[:, -1], torch.tensor([0.37, 0.25]).expand(20, 2), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(ways[..., 1], torch.full((20, 14), 0.25), atol=1e-4, rtol=0)


def test_what_is_to_keep_still_is_not_pushed() -> None:
    clip = clip_of(torch.zeros(1, 3, 60, 50), states=torch.tensor([[0.1, 0.25, 0.0]]))
    goal = PixelGoal((Pixel(5.0, 5.0), Pixel(30.0, 25.0)), (Pixel(5.0, 5.0), Pixel(40.0, 25.0)))
    actions = PushProposals(WORKSPACE, HOMOGRAPHY, 20, 14, EXACT)(
        clip, goal.sources, goal, torch.Generator().manual_seed(0)
    )
    torch.testing.assert_close(actions, propose((0.1, 0.25), EXACT)[0])


def test_from_the_far_side_it_goes_round() -> None:
    _, ways = propose((0.45, 0.25), EXACT)
    gaps = (ways - torch.tensor([0.30, 0.25])).norm(dim=-1)
    turned = (ways[..., 0] < 0.27).float().argmax(1)  # the first step behind the point
    assert (turned > 0).all()
    for way, gap, step in zip(ways, gaps, turned, strict=True):
        assert gap[: int(step)].min() > 0.03
        assert (way[:, 1] - 0.25).abs().max() > 0.04


def test_no_step_is_wasted_on_the_way() -> None:
    for tip in ((0.1, 0.25), (0.45, 0.25), (0.2, 0.4)):
        actions, _ = propose(tip, EXACT)
        for sequence in actions.norm(dim=-1):
            moving = (sequence > 1e-3).nonzero()[:, 0]
            assert moving[0] == 0 and (moving.diff() == 1).all()


def test_a_push_under_way_goes_on() -> None:
    """The finger touches the object from behind.

    A direct push moves it on, without drawing back first.
    """
    actions, ways = propose((0.27, 0.25), replace(EXACT, direct_share=1.0))
    actions = actions[1:]
    ways = ways[1:]
    assert (ways[:, :, 0].diff(dim=1) >= -1e-6).all() and (actions[:, 0, 0] > 0).all()
    torch.testing.assert_close(
        ways[:, -1], torch.tensor([0.37, 0.25]).expand(19, 2), atol=1e-4, rtol=0
    )


def test_actions_are_allowed_and_differ() -> None:
    actions, _ = propose((0.1, 0.4), PushConfig())
    assert actions.abs().max() <= 1
    assert len({tuple(action.flatten().tolist()) for action in actions}) == 20
    torch.testing.assert_close(actions, propose((0.1, 0.4), PushConfig())[0])


def test_the_first_push_is_the_mean_of_all() -> None:
    one, _ = propose((0.1, 0.4), PushConfig(), seed=0)
    two, _ = propose((0.1, 0.4), PushConfig(), seed=1)
    torch.testing.assert_close(one[0], two[0])
    assert not torch.equal(one[1], two[1])


def test_more_numbers_than_two_leave_the_others_at_rest() -> None:
    workspace = Workspace((0.0, 0.0, 0.0), (0.6, 0.5, 0.1), (0.04, 0.05, 0.03))
    clip = clip_of(
        torch.zeros(1, 3, 60, 50), states=torch.tensor([[0.1, 0.2, 0.0]]), action_size=3
    )
    goal = PixelGoal((Pixel(30.0, 25.0),), (Pixel(40.0, 25.0),))
    actions = PushProposals(workspace, HOMOGRAPHY, 20, 14)(
        clip, goal.sources, goal, torch.Generator()
    )
    assert (actions[..., 2] == 0).all()
    assert (actions[..., :2] != 0).any()
