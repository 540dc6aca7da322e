"""The arm's path in the frame is where the world itself sees the arm."""

import numpy as np
import pytest

from visual_foresight.env_info import Unlimited, View
from visual_foresight.envs.dot import DotEnv
from visual_foresight.types import Workspace
from visual_foresight.vision.arm_path import ArmView

MILLIMETRES = ((0.001, 0.0, 0.0), (0.0, 0.001, 0.0), (0.0, 0.0, 1.0))
VIEW = View((48, 64), MILLIMETRES)
WORKSPACE = Workspace(low=(0.0, 0.0), high=(0.03, 0.06), step=(0.004, 0.002))


def test_actions_add_up_and_stop_at_the_border():
    state = np.array([0.02, 0.01, 5.0])
    actions = np.array([[[1.0, 1.0], [1.0, -0.5], [1.0, 2.0]]])
    path = ArmView(VIEW, WORKSPACE).places(state, actions)
    assert path == pytest.approx(np.array([[[20, 10], [24, 12], [28, 11], [30, 13]]]))


def test_the_dot_is_seen_where_its_path_leads():
    env = DotEnv((40, 56))
    env.reset(seed=3)
    start = env.observe().state
    actions = np.random.default_rng(0).uniform(-1, 1, (1, 6, 2))
    path = ArmView(env.info.view, env.info.limits).places(start, actions)[0]
    for place, action in zip(path, [*actions[0], None], strict=True):
        seen = env.project(env.truth()[0, :3])
        assert place == pytest.approx((seen.row, seen.col), abs=1e-3)
        if action is not None:
            env.step(action.astype(np.float32))


@pytest.mark.parametrize(
    ("view", "limits", "reason"),
    [
        (View((48, 64)), WORKSPACE, "calibrated"),
        (VIEW, Unlimited(2), "where an action takes"),
        (VIEW, Workspace((0,) * 3, (1,) * 3, (0.1,) * 3), "leaves the plane"),
        (VIEW, WORKSPACE, ""),
    ],
)
def test_it_says_why_a_path_is_not_known(view, limits, reason):
    why = ArmView(view, limits).why_unknown
    assert reason in why
    assert bool(why) == bool(reason)
