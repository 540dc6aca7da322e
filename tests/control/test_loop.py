"""The control loop, on the dot: who sees what, when, and what the judge says."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from visual_foresight.control.judge import TrialJudge, believed, designate, on_height
from visual_foresight.control.loop import CLIP_FRAMES, finish, run_trial
from visual_foresight.env_info import View
from visual_foresight.envs.camera import Camera
from visual_foresight.envs.dot import PIXEL_M, STEP_PX, DotEnv, Snapshot, Square
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.types import (
    Clip,
    Goal,
    Observation,
    Pixel,
    Plan,
    Prediction,
    UserError,
    to_float,
)

SIZE = (20, 28)


@dataclass(frozen=True)
class Scripted:
    """Plays back actions and remembers what it was given."""

    actions: torch.Tensor
    clips: list[Clip] = field(default_factory=list)
    previous: list[Plan | None] = field(default_factory=list)

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        index = len(self.clips)
        self.clips.append(clip)
        self.previous.append(previous)
        actions = self.actions[index : index + 3]
        return Plan(
            actions,
            (Pixel(0, 0),),
            Prediction.without_model(actions[None], SIZE),
            (),
            0.0,
            clip.frames[0, -1],
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        return (Pixel(0, 1),)


class Idle(Scripted):
    """Follows no pixels, as no goal without any asks for."""

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        return replace(super().plan(clip, goal, previous, rng), sources=())

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        return ()


@pytest.fixture
def env() -> DotEnv:
    env = DotEnv(SIZE)
    env.reset(seed=3)
    env.restore(Snapshot(Square((6 * PIXEL_M, 10 * PIXEL_M), (255, 0, 0))))
    return env


GOAL = PixelGoal((Pixel(6, 10),), (Pixel(10, 13),))
ACTIONS = torch.tensor(
    [[1.0, 0.0], [0.0, 0.75], [0.0, 0.0], [-0.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
)


def judge(env: DotEnv, goal: Goal) -> TrialJudge | None:
    return TrialJudge.of(env, goal, designate(env, goal))


def run(env: DotEnv, controller: Scripted, num_steps: int = 4) -> list:
    return list(
        run_trial(env, controller, GOAL, judge(env, GOAL), torch.Generator(), num_steps)
    )


def test_the_judge_measures_before_the_first_and_after_each_action(env: DotEnv) -> None:
    trial = finish(GOAL, run(env, Scripted(ACTIONS)), {"seed": 3})
    assert trial.distances == pytest.approx((5, 3, 0, 0, 2))
    assert trial.distances_m == pytest.approx([value * PIXEL_M for value in trial.distances])
    assert trial.success(2.5 * PIXEL_M) and not trial.success(1.5 * PIXEL_M)
    np.testing.assert_allclose(
        trial.episode.tracks[:, 0], [[6, 10], [10, 10], [10, 13], [10, 13], [8, 13]]
    )
    np.testing.assert_array_equal(trial.episode.actions, ACTIONS[:4])
    assert len(trial.plans) == 4 and trial.episode.meta == {"seed": 3}


def test_what_keeps_still_does_not_hide_what_is_far_from_its_goal(env: DotEnv) -> None:
    goal = PixelGoal((Pixel(2, 2), *GOAL.sources), (Pixel(2, 2), *GOAL.targets))
    steps = list(
        run_trial(env, Scripted(ACTIONS), goal, judge(env, goal), torch.Generator(), 1)
    )
    assert [step.verdict.distance for step in steps if step.verdict] == pytest.approx([5, 3])
    assert not finish(goal, steps).success(2.5 * PIXEL_M)


def test_the_controller_sees_the_past_and_its_last_plan(env: DotEnv) -> None:
    controller = Scripted(ACTIONS)
    steps = run(env, controller)
    assert controller.previous == [None, *(step.plan for step in steps[:3])]
    for clip, step in zip(controller.clips, steps, strict=False):
        assert clip.frames.shape == (1, CLIP_FRAMES, 3, *SIZE)
        assert torch.equal(clip.frames[0, -1], to_float(step.observation.frame))
        assert torch.equal(clip.states[0, -1], torch.from_numpy(step.observation.state))
    assert torch.equal(controller.clips[3].actions[0, -3:], ACTIONS[:3])
    assert torch.equal(controller.clips[3].frames[0, -2], controller.clips[2].frames[0, -1])


def test_before_the_first_frame_the_world_stood_still(env: DotEnv) -> None:
    controller = Scripted(ACTIONS)
    run(env, controller)
    first, third = controller.clips[0], controller.clips[2]
    assert not first.actions.any()
    assert torch.equal(first.frames[0], first.frames[0, -1:].expand(CLIP_FRAMES, -1, -1, -1))
    assert (
        torch.equal(third.frames[0, 0], first.frames[0, 0]) and not third.actions[0, :-2].any()
    )


def test_a_long_trial_shows_the_newest_frames_only(env: DotEnv) -> None:
    num_steps = CLIP_FRAMES + 3
    controller = Scripted(torch.linspace(-0.3, 0.4, 2 * (num_steps + 2)).reshape(-1, 2))
    run(env, controller, num_steps)
    assert torch.equal(
        controller.clips[-1].actions[0],
        controller.actions[num_steps - CLIP_FRAMES : num_steps - 1],
    )


def test_an_action_is_carried_out_when_the_next_step_is_asked_for(env: DotEnv) -> None:
    loop = run_trial(env, Scripted(ACTIONS), GOAL, judge(env, GOAL), torch.Generator(), 4)
    first = next(loop)
    assert env.truth()[0, 0] == 6 * PIXEL_M and first.plan is not None
    second = next(loop)
    assert env.truth()[0, 0] == (6 + STEP_PX) * PIXEL_M
    stopped = finish(GOAL, [first, second])
    assert len(stopped.plans) == len(stopped.episode.actions) == 1
    alone = finish(GOAL, [first])
    assert alone.distances == pytest.approx((5,)) and alone.episode.actions.shape == (0, 0)


def test_without_a_judge_distances_are_what_the_controller_believes(env: DotEnv) -> None:
    steps = list(run_trial(env, Scripted(ACTIONS), GOAL, None, torch.Generator(), 2))
    assert [step.verdict for step in steps] == [None] * 3
    trial = finish(GOAL, steps)
    first, last = GOAL.targets[0].distance(Pixel(0, 0)), GOAL.targets[0].distance(Pixel(0, 1))
    assert trial.is_believed and trial.episode.tracks.shape == (3, 0, 2)
    assert trial.distances == pytest.approx((first, first, last))
    assert trial.distances_m == pytest.approx(
        [PIXEL_M * first, PIXEL_M * first, PIXEL_M * last]
    )
    assert trial.distance_text(-1) == f"believed {100 * PIXEL_M * last:.1f} cm to go"


SEEN = Observation.single(np.zeros((*SIZE, 3), np.uint8), np.zeros(2, np.float32))


def test_metres_are_believed_of_a_calibrated_camera_only() -> None:
    goal = PixelGoal((Pixel(1, 1), Pixel(2, 2)), (Pixel(4, 5), Pixel(2, 2)))
    bare = believed(View(SIZE), goal, SEEN, goal.sources)
    assert bare is not None and (bare.distance, bare.distance_m) == (5, None)
    doubled = View(SIZE, ((2.0, 0.0, 1.0), (0.0, 2.0, 0.0), (0.0, 0.0, 1.0)))
    metric = believed(doubled, goal, SEEN, goal.sources)
    assert metric is not None and metric.distance_m == pytest.approx(10)
    assert believed(doubled, goal, SEEN, ()) is None
    image = believed(doubled, ImageGoal(np.full((*SIZE, 3), 51, np.uint8)), SEEN, ())
    assert image is not None and image.distance == pytest.approx(0.2)
    assert (image.unit, image.distance_m) == ("difference", None)


def test_points_and_pixels_must_fit(env: DotEnv) -> None:
    with pytest.raises(ValueError, match="0 points, 1 pixels"):
        TrialJudge.of(env, GOAL, ())


def test_a_goal_pixel_is_a_place_at_the_height_of_the_point() -> None:
    camera = Camera((1.2, 0.0, 1.1), (0.5, 0.0, 0.0), 25.0, 48, 64)
    goal = np.array([0.61, -0.12, 0.04])
    place = on_height(camera.project, camera.project(goal), np.array([0.45, 0.15, 0.04]))
    np.testing.assert_allclose(place, goal[:2], atol=1e-6)


@pytest.mark.parametrize("is_judged", [True, False])
def test_an_image_is_measured_as_seen_and_no_success_is_claimed(
    env: DotEnv, is_judged: bool
) -> None:
    goal = ImageGoal(env.observe().frame)
    judged = judge(env, goal) if is_judged else None
    assert designate(env, goal) == ()
    steps = list(run_trial(env, Idle(ACTIONS), goal, judged, torch.Generator(), 4))
    trial = finish(goal, steps)
    frames = trial.episode.frames.astype(np.float64) / 255
    differences = np.sqrt(np.square(frames - frames[0]).mean((1, 2, 3)))
    assert trial.distances == pytest.approx(differences) and trial.distances[0] == 0
    assert trial.distances_m == () and not trial.success(1.0)
    assert trial.distance_text(0) == steps[0].distance_text == "0 difference to go"
    assert trial.distance_text(-1) == f"{differences[-1]:.3g} difference to go"
    assert not trial.is_believed, "the camera says so, no locator"
    assert trial.episode.tracks.shape == (5, 0, 2) and len(trial.episode.actions) == 4


def test_an_image_of_another_size_is_refused(env: DotEnv) -> None:
    with pytest.raises(UserError, match="goal image has 4 rows and 28 columns"):
        designate(env, ImageGoal(env.observe().frame[:4]))


def test_what_is_to_move_must_be_an_object_and_what_keeps_still_need_not(env: DotEnv) -> None:
    ground = Pixel(15, 20)
    moved, kept = designate(env, PixelGoal((Pixel(6, 10), ground), (Pixel(10, 13), ground)))
    assert (moved.kind, kept.kind) == ("object", "background")
    with pytest.raises(UserError, match="does not show an object but the background"):
        designate(env, PixelGoal((ground,), (Pixel(10, 13),)))
    with pytest.raises(
        UserError, match=r"the goal pixel \(row 20, col 13\) is outside the frame"
    ):
        designate(env, PixelGoal((Pixel(6, 10),), (Pixel(20, 13),)))


def test_what_an_action_led_to_is_seen_also_when_the_next_plan_fails(env):
    class Fails(Scripted):
        def plan(
            self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator
        ) -> Plan:
            if previous is not None:
                raise UserError("no more ideas")
            return super().plan(clip, goal, previous, rng)

    loop = run_trial(env, Fails(ACTIONS), GOAL, judge(env, GOAL), torch.Generator())
    first = next(loop)
    second = next(loop)
    assert first.plan is not None and second.plan is None and second.index == 1
    assert second.verdict is not None and first.verdict is not None
    assert second.verdict.places != first.verdict.places
    with pytest.raises(UserError, match="no more ideas"):
        next(loop)
    assert len(finish(GOAL, [first, second]).episode.actions) == 1
