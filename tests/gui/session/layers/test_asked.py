"""What a page asks a model about a plan: answered while the robot rests, and kept."""

import threading
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.fakes.dot_model import DotModel
from tests.gui import sessions
from visual_foresight.control.loop import clip_of
from visual_foresight.envs.dot import STEP_PX, DotEnv
from visual_foresight.gui.session.layers import asked
from visual_foresight.gui.session.layers.answers import (
    Flow,
    NoAnswer,
    Wish,
    flow_of,
    things_of,
)
from visual_foresight.gui.session.state import Status
from visual_foresight.gui.session.view_only import ViewOnly
from visual_foresight.types import UserError


def ask(session, wish):
    """Ask as a page does: again, as long as another question waits."""
    for _ in range(600):
        if session.ask(wish):
            return True
        time.sleep(0.05)
    return False


def test_the_flow_follows_every_point_along_the_plan():
    env = DotEnv((40, 56))
    env.reset(seed=0)
    actions = torch.tensor([[1.0, 0.0], [0.5, -1.0]])
    flow = flow_of(DotModel(STEP_PX), clip_of([env.observe()], [], 2), actions)
    moves = flow.places - flow.places[0]
    inside = (np.abs(flow.places[0] - (20, 28)) < 10).all(-1)  # nothing of it gets to a border
    assert inside.sum() > 20
    assert moves[1, inside] == pytest.approx(np.tile([STEP_PX, 0], (inside.sum(), 1)), abs=0.01)
    late = np.tile([1.5 * STEP_PX, -STEP_PX], (inside.sum(), 1))
    assert moves[2, inside] == pytest.approx(late, abs=0.01)


def test_a_model_that_knows_no_things_says_so():
    env = DotEnv()
    env.reset(seed=0)
    with pytest.raises(UserError, match="knows no things"):
        things_of(DotModel(STEP_PX), clip_of([env.observe()], [], 2), torch.zeros(3, 2))


def test_a_session_answers_what_is_shown_and_only_that(session):
    sessions.make_goal(session)
    session.plan()
    state = sessions.wait(session)
    wish = Wish("flow", state.run_of_plans, 0)
    late = replace(wish, step=7)
    low = replace(wish, rank=99)
    old = replace(wish, run=(99, "still", False))
    things = replace(wish, layer="things")
    version = state.status
    for wished in (late, old, low, wish, things):
        assert ask(ViewOnly(session), wished), "it moves nothing: a page that looks on may ask"
    state = sessions.wait(session, lambda state: things in state.answers)
    assert set(state.answers) == {wish, things, low}
    assert isinstance(state.answers[low], NoAnswer)
    flow = state.answers[wish]
    assert isinstance(flow, Flow)
    assert (flow.places == flow.places[0]).all(), "`still` expects that nothing moves"
    assert len(flow.places) == 1 + len(state.pending.actions)
    answer = state.answers[things]
    assert isinstance(answer, NoAnswer) and "knows no things" in answer.reason
    assert state.status is version and not state.message


def test_the_model_that_imagined_a_plan_is_asked_about_it(session):
    """Also when another one is in effect by now."""
    sessions.make_goal(session)
    session.run()
    sessions.wait(session, lambda state: state.entry_name)
    state = sessions.wait(session)
    session.choose(replace(state.settings, model="random"))
    session.plan()  # there is no goal, but the choice takes effect
    sessions.wait(session)
    wish = Wish("flow", session.state.run_of_plans, 0)
    assert ask(session, wish)
    state = sessions.wait(session, lambda state: wish in state.answers)
    assert state.settings.model == "random" and state.imagined_by == "still"
    assert isinstance(state.answers[wish], Flow)


def test_a_replay_knows_its_arm_and_can_be_asked_about(session):
    sessions.make_goal(session)
    session.run()
    ended = sessions.wait(session, lambda state: state.entry_name)
    sessions.wait(session)
    session.open(ended.entry_name)
    opened = sessions.wait(session, lambda state: state.is_recorded and state.is_idle)
    assert opened.arm == ended.arm
    assert opened.arm is not None and not opened.arm.why_unknown
    wish = Wish("flow", opened.run_of_plans, 0)
    assert session.ask(wish)
    answered = sessions.wait(session, lambda state: wish in state.answers)
    assert isinstance(answered.answers[wish], Flow)


def test_a_question_that_fails_leaves_the_run_behind_it_as_it_is(session, monkeypatch):
    session.choose(replace(session.state.settings, num_steps=200))
    sessions.make_goal(session)
    session.plan()
    plan = sessions.wait(session)
    fails = threading.Event()

    def fail(*_):
        fails.wait(60)
        raise IndexError("a fault of a plug-in")

    monkeypatch.setattr(asked, "flow_of", fail)
    assert session.ask(Wish("flow", plan.run_of_plans, 0))
    session.run()
    fails.set()
    failed = sessions.wait(session, lambda state: "a fault of a plug-in" in state.message)
    assert failed.status is Status.RUNNING
    session.stop()
    assert sessions.wait(session).num_done < 200
