"""Two models beside one another, in a session without a browser."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from tests.gui.sessions import DOT, make_goal, wait
from visual_foresight.gui.session.questions.compare import one_step_ahead
from visual_foresight.gui.session.state import Status
from visual_foresight.predictors.baselines.persistence import Persistence
from visual_foresight.types import to_uint8


def compared(session, other):
    session.compare(other)
    state = wait(session)
    assert not state.is_error, state.message
    return state.comparison


def test_both_models_imagine_the_same_plan_and_the_plan_stays(session):
    place, target = make_goal(session)
    session.plan()
    pending = wait(session).pending
    comparison = compared(session, "simulator")
    state = session.state
    assert state.status is Status.PAUSED and state.pending is pending
    assert comparison.names == "still and simulator" and not comparison.is_of_run
    still, exact = (model.plans[0] for model in comparison.models)
    np.testing.assert_array_equal(still.actions, exact.actions)
    assert still.prediction is pending.prediction
    resting, moving, floor = comparison.scores_at(0)
    assert resting.distance == pytest.approx(floor.distance)
    assert resting.distance[0] == pytest.approx(place.distance(target), abs=1.5)
    assert moving.distance != pytest.approx(floor.distance)
    assert floor.pixel_px == floor.image == (), "nothing of it has happened"
    session.step()
    assert wait(session).comparison is None, "the run has gone on"


def test_the_exact_model_is_right_about_a_plan(session):
    """What the simulator imagined of an action is what then happens."""
    make_goal(session)
    session.plan()
    wait(session)
    exact = compared(session, "simulator").models[1].plans[0]
    session.step()
    frame = wait(session).frame
    np.testing.assert_array_equal(to_uint8(exact.prediction.frames[0, 0]), frame)


def test_of_a_run_and_of_its_replay_both_imagine_the_actions_carried_out(session):
    make_goal(session)
    session.run()
    ended = wait(session)
    comparison = compared(session, "still")
    assert comparison.is_of_run and len(comparison.still) == ended.num_done == 4
    first, second = comparison.models
    assert first.scores == second.scores == comparison.still
    assert [len(scores.image) for scores in comparison.still] == [4, 3, 2, 1]
    one_step = one_step_ahead(comparison.still, "pixel_px")
    tracks = ended.trial.episode.tracks[:, 0]
    moved = np.linalg.norm(np.diff(tracks, axis=0), axis=-1)
    assert one_step == pytest.approx(moved, abs=0.01), "still errs by what has moved"
    session.open(ended.entries[0].name)
    assert wait(session).comparison is None
    assert compared(session, "still").still == comparison.still
    session.close_recording()
    assert session.state.comparison is None


def test_a_run_of_the_fan_was_for_no_goal(session):
    make_goal(session)
    session.imagine_fan()
    wait(session)
    session.carry_out(1)
    ended = wait(session)
    comparison = compared(session, "still")
    assert all(not scores.distance for scores in comparison.still)
    session.open(ended.entries[-1].name)
    wait(session)
    assert compared(session, "still").still == comparison.still


def test_what_cannot_be_compared_is_said_in_a_sentence(session):
    session.compare("simulator")
    assert "there is no run to compare" in wait(session).message
    make_goal(session)
    session.run()
    wait(session)
    session.compare("simulator")
    assert "'simulator' cannot be asked" in wait(session).message
    session.choose(replace(DOT, model="random"))
    make_goal(session)
    session.plan()
    wait(session)
    session.compare("still")
    assert "'random' imagines nothing that could be compared" in wait(session).message


def test_only_models_of_this_world_are_offered(session):
    offered = session.state.comparable_models
    assert {"still", "simulator"} <= set(offered)
    assert not {"random", "scripted", "rigid", *session.state.unfit_models} & set(offered)


def test_a_comparison_is_broken_off_and_another_model_clears_it(session, monkeypatch):
    make_goal(session)
    session.run()
    wait(session)
    assert compared(session, "still") is not None
    imagining = threading.Event()
    go_on = threading.Event()
    original = Persistence.imagine

    def slow(self, *arguments, **options):
        imagining.set()
        assert go_on.wait(60)
        return original(self, *arguments, **options)

    monkeypatch.setattr(Persistence, "imagine", slow)
    session.check()
    assert imagining.wait(60)
    session.stop()
    go_on.set()
    state = wait(session)
    assert state.message == "Stopped: the question was not answered" and not state.is_error
    assert state.check is None and state.comparison is not None, "as it was before"
    monkeypatch.undo()
    session.choose(replace(session.state.choices, model="simulator"))
    make_goal(session)
    session.plan()
    assert wait(session).comparison is None
