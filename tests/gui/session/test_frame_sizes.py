"""A session takes the frame size of its model, whatever it is; no browser is needed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.checkpoints import untrained
from tests.gui.sessions import DOT, dot, wait
from visual_foresight.episodes.info import read_info
from visual_foresight.episodes.validation import validate
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.session import Session
from visual_foresight.types import Pixel

SIZE = (48, 80)


@pytest.fixture
def model(tmp_path):
    return str(untrained(tmp_path / "mine", SIZE, name="flow"))


def mark(session, right=12):
    """Make the goal to move the dot to the right, or to the left near the edge."""
    place = dot(session.state.frame)
    width = session.state.frame.shape[1]
    target = Pixel(place.row, place.col + (right if place.col < width / 2 else -right))
    session.edit(Draft().clicked(place).clicked(target))


def choose(session, **changes):
    """Choose settings; return whether the scene stays, and the state once the worker rests."""
    stays = session.choose(replace(session.state.settings, **changes))
    return stays, wait(session)


def test_a_session_begins_in_its_models_frames_and_works_in_them(tmp_path, model):
    session = Session(replace(DOT, model=model, num_steps=2), tmp_path / "out")
    try:
        assert wait(session).frame.shape == (*SIZE, 3)
        mark(session)
        session.plan()
        state = wait(session)
        assert not state.is_error, state.message
        assert state.pending.prediction.frames.shape[-2:] == SIZE
        session.run()
        (entry,) = wait(session).entries
        assert entry.name == "dot-48x80-000000"
        session.imagine_fan()
        assert wait(session).fan.prediction.frames.shape[-2:] == SIZE
        session.open(entry.name)
        state = wait(session)
        assert len(state.plans) == 2 and state.trial.episode.frames.shape[1:3] == SIZE
        session.check()
        assert len(wait(session).check.one_step_px) == 2
        session.export(entry.name, ".gif")
        assert wait(session).animation == tmp_path / "out" / "dot-48x80-000000.gif"
    finally:
        session.close()


def test_a_model_of_other_frames_sets_the_scene_anew_and_says_so(session, model, tmp_path):
    session.choose(replace(DOT, num_steps=1))
    mark(session)
    session.run()
    first = wait(session).entries[0].name
    mark(session)
    session.plan()
    wait(session)
    stays, state = choose(session, model=model)
    assert not stays and not state.is_error
    assert "has frames of 48x80 pixels: the scene was set anew" in state.message
    assert state.frame.shape == (*SIZE, 3) and state.settings.model == model
    assert state.draft == Draft() and state.trial is None and state.pending is None
    session.undo()
    assert session.state.draft == Draft(), "that goal was one of other frames"

    mark(session)
    session.run()
    state = wait(session)
    assert [entry.name for entry in state.entries] == [first, "dot-48x80-000000"]
    for folder, size in (("dot", (64, 64)), ("dot-48x80", SIZE)):
        assert read_info(tmp_path / "out" / folder).frame_size == size
        assert validate(tmp_path / "out" / folder).num_sound == 1
    again = Session(DOT, tmp_path / "out")
    try:
        assert {entry.name for entry in again.state.entries} == {first, "dot-48x80-000000"}
    finally:
        again.close()

    session.open(first)
    state = wait(session)
    assert len(state.plans) == state.num_done
    assert state.trial.episode.frames.shape[1:3] == (64, 64)
    session.check()
    assert "of frames of another size" in wait(session).message


def test_what_has_no_checkpoint_stays_in_the_present_frames(session, model):
    choose(session, model=model)
    stays, state = choose(session, model="random")
    assert stays and state.frame.shape == (*SIZE, 3)
    session.reset(replace(session.state.settings, seed=5))
    assert wait(session).frame.shape == (*SIZE, 3)
    mark(session)
    session.plan()
    assert not wait(session).is_error
    stays, state = choose(session, model="simulator")
    assert stays
    session.plan()
    assert wait(session).pending.prediction.frames.shape[-2:] == SIZE


def test_frames_that_a_world_cannot_have_leave_the_scene_as_it_was(session, tmp_path):
    before = session.state.frame
    large = str(untrained(tmp_path / "large", (8, 16), name="flow"))
    session.reset(replace(DOT, env="push", model=large))
    state = wait(session, lambda state: state.is_idle and state.is_error)
    assert "a frame of 16 to 512 pixels a side is needed, got 8x16" in state.message
    np.testing.assert_array_equal(state.frame, before)
    assert state.settings == DOT


def test_a_model_that_cannot_be_used_leaves_the_scene_and_is_named_when_it_plans(session):
    stays, state = choose(session, model="nobody")
    assert stays and not state.is_error
    mark(session)
    session.plan()
    assert "no predictor or checkpoint 'nobody'" in wait(session).message
