"""A search that is broken off; what is believed of the designated pixels stays."""

from dataclasses import dataclass
from itertools import islice

import pytest
import torch

from visual_foresight.control.interruptible import InterruptibleController, StoppedError
from visual_foresight.control.loop import run_trial
from visual_foresight.envs.dot import DotEnv
from visual_foresight.goals.image_goal import ImageGoal
from visual_foresight.goals.pixel_goal import PixelGoal
from visual_foresight.types import Clip, Goal, Pixel, Plan, Prediction

SIZE = (20, 28)
GOAL = PixelGoal((Pixel(6, 10),), (Pixel(10, 13),))


@dataclass(frozen=True)
class Walks:
    """Sees the designated pixel one column further with each action; is stopped at one plan."""

    stopped_at: int

    def plan(self, clip: Clip, goal: Goal, previous: Plan | None, rng: torch.Generator) -> Plan:
        places = self.locate(clip, goal, previous)
        done = 0 if previous is None else previous.memory
        if done == self.stopped_at:
            raise StoppedError
        actions = torch.zeros(3, 2)
        return Plan(
            actions, places, Prediction.without_model(actions[None], SIZE), (), 0.0, done + 1
        )

    def locate(self, clip: Clip, goal: Goal, previous: Plan | None) -> tuple[Pixel, ...]:
        done = 0 if previous is None else previous.memory
        return tuple(Pixel(place.row, place.col + done) for place in goal.sources)


@pytest.fixture
def env() -> DotEnv:
    env = DotEnv(SIZE)
    env.reset(seed=3)
    return env


@pytest.mark.parametrize("stopped_at", [0, 2])
def test_a_plan_that_was_broken_off_keeps_the_believed_places(env, stopped_at):
    controller = InterruptibleController(Walks(stopped_at))
    rng = torch.Generator()
    loop = run_trial(env, controller, GOAL, None, rng)
    steps = list(islice(loop, stopped_at + 1))  # that plan is not carried out
    plan = steps[stopped_at].plan
    assert plan is not None and not plan.actions.any() and len(plan.actions) == 1
    assert plan.sources == (Pixel(6, 10 + stopped_at),)
    belief = steps[stopped_at].belief
    assert belief is not None and belief.places == plan.sources
    assert belief.distance == pytest.approx(Pixel(6, 10 + stopped_at).distance(Pixel(10, 13)))


def test_without_designated_pixels_it_follows_none(env):
    controller = InterruptibleController(Walks(0))
    goal = ImageGoal(env.observe().frame)
    first = next(run_trial(env, controller, goal, None, torch.Generator(), num_steps=1))
    assert first.plan is not None and first.plan.sources == ()
