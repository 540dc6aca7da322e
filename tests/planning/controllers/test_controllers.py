"""The controllers in closed loop, with a model that is exact: a dot that moves by the action."""

from functools import partial

import numpy as np
import pytest
import torch

from tests.fakes.clips import clip_from, dot_clip
from tests.fakes.dot_model import DotModel, FramesOnlyDotModel
from visual_foresight.envs.dot import PIXEL_M, DotEnv, Snapshot, Square
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.planning.controllers.random import RandomController
from visual_foresight.planning.controllers.scripted import ScriptedController
from visual_foresight.planning.controllers.visual_mpc import VisualMPC, shifted
from visual_foresight.planning.costs.pixel_distance import PixelDistance
from visual_foresight.planning.costs.registry import make_cost
from visual_foresight.planning.localization.propagate import Propagate
from visual_foresight.planning.localization.track import Track
from visual_foresight.planning.planners.cem import CEM, CEMConfig
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.predictors.baselines.simulator import Simulator
from visual_foresight.types import Pixel, Plan, Prediction, UserError, Workspace

SIZE = (24, 36)
STEP_PX = 2.0
# the state is (row, col) in pixels
WORKSPACE = Workspace(low=(2.0, 2.0), high=(21.0, 33.0), step=(STEP_PX, STEP_PX))
QUICK = CEMConfig(populations=(40, 32, 25), horizon=6, num_elites=8)


def run(controller, start, target, num_steps=12, seed=0):
    """Close the loop in a world that does what the workspace allows.

    Return the places of the dot and the plans.
    """
    rng = torch.Generator().manual_seed(seed)
    places = [start, start]
    plans: list[Plan] = []
    goal = PixelGoal((Pixel(*start),), (Pixel(*target),))
    for _ in range(num_steps):
        clip = dot_clip(places[-2:], SIZE)
        plans.append(controller.plan(clip, goal, plans[-1] if plans else None, rng))
        done = WORKSPACE.clip(clip.states[0, -1], plans[-1].actions[None, :1])[0, 0]
        places.append(tuple((clip.states[0, -1] + STEP_PX * done).tolist()))
    return places[1:], plans


@pytest.mark.parametrize(
    "locator", [Propagate(), Track(search_px=6)], ids=["propagate", "track"]
)
def test_reaches_the_goal_with_an_exact_model(locator):
    controller = VisualMPC(DotModel(STEP_PX), WORKSPACE, CEM(QUICK), locator)
    places, plans = run(controller, (6.0, 8.0), (17.0, 26.0), 16)
    assert np.hypot(places[-1][0] - 17, places[-1][1] - 26) < 1.0
    assert plans[-1].sources[0].distance(Pixel(*places[-2])) < 1.0


def test_random_actions_and_a_model_without_motion_do_not():
    for controller in (
        RandomController(WORKSPACE),
        VisualMPC(Persistence(), WORKSPACE, CEM(QUICK), Propagate()),
    ):
        missed = [
            run(controller, (6.0, 8.0), (17.0, 26.0), seed=seed)[0][-1] for seed in range(3)
        ]
        assert np.mean([np.hypot(row - 17, col - 26) for row, col in missed]) > 5


def test_all_that_is_imagined_stays_in_the_workspace_and_is_counted():
    model = DotModel(STEP_PX)
    controller = VisualMPC(model, WORKSPACE, CEM(QUICK), batch=30)
    start = (3.0, 4.0)
    goal = PixelGoal((Pixel(*start),), (Pixel(0.0, 0.0),))
    plan = controller.plan(
        dot_clip([start] * 4, SIZE), goal, None, torch.Generator().manual_seed(0)
    )
    assert [clip.frames.shape[1] for clip in model.clips] == [
        2
    ]  # once, its own context of a longer clip
    assert [len(asked.actions) for asked in model.questions] == [30, 10, 30, 2, 25, 1]
    assert [asked.decode for asked in model.questions] == [False] * 5 + [True]
    imagined = torch.cat([asked.actions for asked in model.questions])
    reached = torch.tensor(start) + STEP_PX * imagined.cumsum(1)
    assert reached.min() > 2.0 - 1e-4
    assert torch.equal(imagined[-1], plan.actions)
    assert plan.prediction.frames.shape == (1, 6, 3, *SIZE)
    assert plan.prediction.pixel_maps.shape == (1, 6, 1, 12, 18)
    assert [len(costs) for costs in plan.costs] == [40, 32, 25]
    assert 0 < plan.seconds < 60


def test_same_seed_same_plans_and_the_batch_does_not_matter():
    trials = [
        run(
            VisualMPC(DotModel(STEP_PX), WORKSPACE, CEM(QUICK), batch=batch),
            (6.0, 8.0),
            (17.0, 26.0),
            3,
        )[1]
        for batch in (128, 11)
    ]
    for one, other in zip(*trials, strict=True):
        assert torch.allclose(one.actions, other.actions, atol=1e-5)


def test_planning_does_not_decode_unless_it_is_shown():
    model = DotModel(STEP_PX)
    controller = VisualMPC(model, WORKSPACE, CEM(QUICK), decode_best=False)
    run(controller, (6.0, 8.0), (17.0, 26.0), 1)
    assert not any(asked.decode for asked in model.questions)


def test_the_previous_best_goes_on_where_it_stopped():
    seen = DotModel(STEP_PX)
    controller = VisualMPC(seen, WORKSPACE, CEM(QUICK))
    _, plans = run(controller, (6.0, 8.0), (17.0, 26.0), 2)
    warm_start = shifted(plans[0], 6)
    longer = shifted(plans[0], 9)
    assert warm_start is not None and longer is not None
    state = torch.tensor([6.0, 8.0]) + STEP_PX * plans[0].actions[0]
    warm = WORKSPACE.clip(state, warm_start[None])
    second = torch.cat([asked.actions for asked in seen.questions[4:7]])
    assert (second - warm).abs().amax((1, 2)).min() < 1e-5
    assert torch.equal(warm_start[:5], plans[0].actions[1:])
    assert torch.equal(warm_start[5], plans[0].actions[5])
    assert longer.shape == (9, 2)
    assert shifted(None, 9) is None


def test_proposals_of_the_caller_are_imagined():
    model = DotModel(STEP_PX)
    right = torch.tensor([0.0, 0.731]).expand(1, 6, 2)
    controller = VisualMPC(
        model, WORKSPACE, CEM(QUICK), propose=lambda clip, sources, goal, rng: right
    )
    run(controller, (6.0, 8.0), (6.0, 30.0), 1)
    assert (model.questions[0].actions - right).abs().amax((1, 2)).min() < 1e-5


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        (
            PixelGoal((Pixel(3, 3),), (Pixel(24, 3),)),
            "goal pixel .row 24, col 3. is outside the frame of 24 rows",
        ),
        (
            PixelGoal((Pixel(3, -1),), (Pixel(4, 3),)),
            "designated pixel .row 3, col -1. is outside",
        ),
        (
            ImageGoal(np.zeros((12, 36, 3), np.uint8)),
            "goal image has 12 rows and 36 columns, the camera's frames have 24",
        ),
    ],
)
def test_a_goal_that_cannot_be_planned_for_is_refused_in_words(goal, message):
    controller = VisualMPC(DotModel(STEP_PX), WORKSPACE, CEM(QUICK))
    with pytest.raises(UserError, match=message):
        controller.plan(dot_clip([(6.0, 8.0)] * 2, SIZE), goal, None, torch.Generator())


def test_a_script_cannot_push_to_an_image():
    controller = ScriptedController(
        WORKSPACE, lambda clip, sources, goal, rng: torch.zeros(1, 6, 2)
    )
    with pytest.raises(
        UserError, match="needs designated pixels, and the goal .an image. has none"
    ):
        controller.plan(
            dot_clip([(6.0, 8.0)] * 2, SIZE),
            ImageGoal(np.zeros((*SIZE, 3), np.uint8)),
            None,
            torch.Generator(),
        )


def test_who_cannot_move_pixels_is_not_planned_with_for_pixels():
    goal = PixelGoal((Pixel(3, 3),), (Pixel(4, 3),))
    with pytest.raises(
        UserError, match="frames only and cannot say where a designated pixel goes"
    ):
        VisualMPC(FramesOnlyDotModel(STEP_PX), WORKSPACE, CEM(QUICK)).plan(
            dot_clip([(6.0, 8.0)] * 2, SIZE), goal, None, torch.Generator()
        )


def test_a_goal_image_is_reached_without_pixel_maps():
    env, mirror = DotEnv(SIZE), DotEnv(SIZE)
    env.reset(seed=1)
    env.restore(Snapshot(Square((10 * PIXEL_M, 14 * PIXEL_M), (255, 0, 0))))
    goal = ImageGoal(env.observe().frame)
    env.restore(Snapshot(Square((7 * PIXEL_M, 18 * PIXEL_M), (255, 0, 0))))
    mirror.reset(seed=2)

    def propose(clip, sources, goal, rng):
        pytest.fail("proposals are for goals of pixels")

    controller = VisualMPC(
        Simulator(env, mirror, ()),
        env.workspace,
        CEM(QUICK),
        decode_best=False,
        propose=propose,
    )
    rng = torch.Generator().manual_seed(0)
    plan: Plan | None = None
    for _ in range(8):
        clip = clip_from(env)
        plan = controller.plan(clip, goal, plan, rng)
        env.move(plan.actions[0].numpy())
    assert plan is not None and plan.sources == ()
    assert plan.prediction.pixel_maps.shape == (1, 6, 0, 12, 18)
    assert np.hypot(*(env.truth()[0, :2] / PIXEL_M - (10, 14))) < 1.5


def test_caution_avoids_what_models_disagree_on():
    class Doubtful(DotModel):
        """Two models, of which one believes that going right is undone."""

        def imagine(self, carry, actions, decode=False):
            other = torch.stack([actions[..., 0], actions[..., 1].clamp(max=0)], -1)
            return Prediction.average(
                [super(Doubtful, self).imagine(carry, part) for part in (actions, other)]
            )

    def first_move(weight):
        controller = VisualMPC(
            Doubtful(STEP_PX),
            WORKSPACE,
            CEM(QUICK),
            cost_of=partial(make_cost, disagreement=weight),
            decode_best=False,
        )
        return run(controller, (12.0, 16.0), (12.0, 30.0), 1)[1][0].actions[:, 1].sum()

    assert first_move(0.0) > 3
    assert first_move(5.0) < 0.5 * first_move(0.0)


def test_too_short_a_clip_is_refused():
    goal = PixelGoal((Pixel(3, 3),), (Pixel(4, 3),))
    with pytest.raises(ValueError, match="2 frames of context are needed, the clip has 1"):
        VisualMPC(DotModel(STEP_PX), WORKSPACE, CEM(QUICK)).plan(
            dot_clip([(6.0, 8.0)], SIZE), goal, None, torch.Generator()
        )


def test_a_model_that_imagines_nonsense_stops_the_search():
    with pytest.raises(UserError, match="40 of 40 costs are not finite: what the model"):
        run(
            VisualMPC(DotModel(STEP_PX, diverges=True), WORKSPACE, CEM(QUICK)),
            (6.0, 8.0),
            (17.0, 26.0),
            1,
        )


def test_random_actions_are_smooth_kept_inside_and_seeded():
    controller = RandomController(WORKSPACE, horizon=5)
    places, plans = run(controller, (3.0, 4.0), (17.0, 26.0), 30)
    assert torch.allclose(plans[1].actions, plans[0].actions[1:], atol=1e-5)
    assert [len(plan.actions) for plan in plans[:7]] == [5, 4, 3, 2, 1, 5, 4]
    assert all(
        2 - 1e-4 <= row <= 21 + 1e-4 and 2 - 1e-4 <= col <= 33 + 1e-4 for row, col in places
    )
    assert places == run(controller, (3.0, 4.0), (17.0, 26.0), 30)[0]
    assert places != run(controller, (3.0, 4.0), (17.0, 26.0), 30, seed=1)[0]
    assert plans[0].prediction.pixel_maps.shape == (1, 5, 0, *SIZE)


def test_a_script_carries_out_one_proposal_after_the_other():
    right = torch.tensor([0.0, 0.5]).expand(2, 6, 2)
    asked = []

    def propose(clip, sources, goal, rng):
        asked.append(sources[0].col)
        return right

    controller = ScriptedController(WORKSPACE, propose, Propagate())
    places, plans = run(controller, (6.0, 8.0), (6.0, 30.0), 9)
    assert len(asked) == 2
    assert [len(plan.actions) for plan in plans] == [6, 5, 4, 3, 2, 1, 6, 5, 4]
    assert places[-1][1] > places[0][1]
    assert plans[0].prediction.pixel_maps.shape == (1, 6, 0, *SIZE)


def test_runners_up_are_the_best_others_of_the_last_iteration():
    goal = PixelGoal((Pixel(12.0, 12.0),), (Pixel(12.0, 20.0),))
    controller = VisualMPC(DotModel(STEP_PX), WORKSPACE, CEM(QUICK), num_runners_up=3)
    plan = controller.plan(
        dot_clip([(12.0, 12.0)] * 2, SIZE), goal, None, torch.Generator().manual_seed(0)
    )
    assert plan.runners_up.shape == (3, QUICK.horizon, 2)
    costs = PixelDistance(goal)(plan.prediction)
    torch.testing.assert_close(costs[0], torch.cat(plan.costs).min())
    best = plan.costs[-1].sort().values
    torch.testing.assert_close(costs[1:], best[best > costs[0]][:3])
    alone = VisualMPC(DotModel(STEP_PX), WORKSPACE, CEM(QUICK)).plan(
        dot_clip([(12.0, 12.0)] * 2, SIZE), goal, None, torch.Generator().manual_seed(0)
    )
    assert (
        torch.equal(alone.actions, plan.actions)
        and len(alone.prediction.frames) == 1
        and not len(alone.runners_up)
    )
