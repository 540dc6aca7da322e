"""What is said of a goal while it is being made, and what may be taken back."""

from dataclasses import replace

import numpy as np

from tests.gui.sessions import DOT, dot, make_goal, wait
from visual_foresight.envs.registry import make
from visual_foresight.gui.session.goals import Draft, Handle
from visual_foresight.gui.session.guidance.remarks import (
    SOMETHING,
    TABLE,
    describe_pixel,
    remark_on,
)
from visual_foresight.interfaces import require_judge
from visual_foresight.types import Pixel


def test_what_is_no_object_is_said_at_the_click_and_kept(session):
    place = dot(session.state.frame)
    ground = Pixel(63 - place.row, 63 - place.col)
    session.edit(Draft().clicked(ground))
    state = wait(session, lambda state: state.remark)
    assert "does not show an object but the background" in state.remark
    assert state.draft == Draft().clicked(ground) and state.is_idle and not state.is_error
    session.edit(Draft().clicked(place))
    wait(session, lambda state: not state.remark)
    session.edit(Draft().kept(ground))
    session.edit(Draft().clicked(ground))
    wait(session, lambda state: state.remark)
    session.undo()
    wait(session, lambda state: not state.remark)


def test_the_arm_and_places_out_of_reach_are_said_too():
    env = require_judge(make("push"), "the test")
    env.reset(seed=3)
    pixels = [Pixel(float(row), float(col)) for row in range(64) for col in range(64)]
    kinds = {pixel: env.pick(pixel).kind for pixel in pixels}
    arm = next(pixel for pixel, kind in kinds.items() if kind == "arm")
    thing = next(pixel for pixel, kind in kinds.items() if kind == "object")
    assert "but the arm" in remark_on(env, Draft().clicked(arm))
    assert remark_on(env, Draft().clicked(thing)) == ""
    assert "nothing can get to" in remark_on(env, Draft().clicked(thing).clicked(Pixel(0, 0)))
    frame = env.observe().frame
    things = [pixel for pixel, kind in kinds.items() if kind == "object"]
    assert np.mean([describe_pixel(frame, pixel) == SOMETHING for pixel in things]) > 0.9
    env.close()


def test_a_pixel_is_described_by_the_picture_alone(session):
    place = dot(session.state.frame)
    frame = session.state.frame
    assert describe_pixel(frame, place) == SOMETHING
    assert describe_pixel(frame, Pixel(63 - place.row, 63 - place.col)) == TABLE
    assert describe_pixel(frame, Pixel(-5, 3)) == ""


def test_undo_after_a_run_brings_no_old_goal_back(session):
    session.choose(replace(DOT, num_steps=1))
    make_goal(session)
    assert session.state.can_undo
    session.run()
    state = wait(session)
    assert state.draft == Draft() and not state.can_undo
    session.undo()
    assert session.state.draft == Draft()
    place, _ = make_goal(session)
    session.undo()
    assert session.state.draft.pairs in ((), Draft().clicked(place).pairs)


def test_a_drag_draws_the_goal_pixel_out_of_an_open_pair():
    draft = Draft().clicked(Pixel(1, 2))
    handle = draft.drawn_from(Handle(0, "source"))
    assert draft.dragged(handle, Pixel(5, 9)) == draft.clicked(Pixel(5, 9))
    whole = draft.clicked(Pixel(5, 9))
    assert whole.drawn_from(Handle(0, "source")) == Handle(0, "source")
