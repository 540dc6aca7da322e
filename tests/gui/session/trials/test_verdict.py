"""When a run stops by itself, what is said of it, and how it goes on; no browser is needed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.gui.sessions import DOT, dot, make_goal, wait
from visual_foresight.gui.session.goals import Draft

EXACT = replace(DOT, model="simulator", num_steps=20)


def run(session, **changes):
    session.choose(replace(EXACT, **changes))
    make_goal(session)
    session.run()
    return wait(session)


def test_a_run_stops_near_its_goal_and_says_so_as_it_is_recorded(session):
    state = run(session)
    verdict, entry = state.verdict, state.entries[0]
    assert entry.num_steps == verdict.num_steps < 20
    assert entry.outcome == verdict.outcome == "reached"
    assert entry.distance_m <= 0.03
    assert verdict.text == f"reached: {entry.distance_text} in {entry.num_steps} steps"


def test_it_takes_all_its_steps_where_that_is_chosen(session):
    state = run(session, stop_within_cm=0.0, num_steps=8)
    assert state.entries[0].num_steps == 8


def test_the_judge_stops_it_only_where_that_is_chosen(session, monkeypatch):
    """The persistence baseline's locator is told that nothing moves."""
    state = run(session, stop_by="judge", stop_within_cm=1.0)
    assert state.verdict.outcome == "reached" and state.entries[0].distance_m <= 0.01


def test_a_run_that_does_not_get_there_says_how_far_it_is(session):
    state = run(session, num_steps=1)
    assert state.verdict.outcome == "not reached" or state.entries[0].distance_m <= 0.05
    session.reset(replace(EXACT, model="random", num_steps=2, seed=4))
    wait(session)
    place = dot(session.state.frame)
    far = type(place)(63.0 - place.row, 63.0 - place.col)
    session.edit(Draft().clicked(place).clicked(far))
    session.run()
    verdict = wait(session).verdict
    assert verdict.outcome == "not reached"
    assert verdict.text.endswith(" cm to go after 2 steps")


def test_what_is_to_keep_still_does_not_end_a_run_at_once(session):
    session.choose(replace(EXACT, num_steps=2))
    session.edit(Draft().kept(dot(session.state.frame)))
    session.run()
    assert wait(session).entries[0].num_steps == 2


def test_again_is_the_same_scene_and_goal_with_what_is_chosen_now(session):
    before = session.state.frame
    first = run(session)
    session.choose(replace(EXACT, model="still", num_steps=1))
    session.again()
    state = wait(session)
    assert not state.is_error, state.message
    np.testing.assert_array_equal(state.trial.episode.frames[0], before)
    assert state.trial.goal == first.trial.goal
    assert [entry.model for entry in state.entries] == ["simulator", "still"]


def test_going_on_brings_it_nearer_from_where_it_is(session):
    first = run(session, stop_within_cm=5.0)
    assert first.verdict.next_within_m == pytest.approx(0.025)
    session.go_on()
    state = wait(session)
    assert not state.is_error, state.message
    np.testing.assert_array_equal(state.trial.episode.frames[0], first.frame)
    assert state.trial.goal.targets == first.trial.goal.targets
    assert state.entries[1].distance_m <= 0.03
    assert state.verdict.outcome == "reached"


def test_without_a_run_there_is_nothing_to_do_again(session):
    session.again()
    assert "there is no run of this scene" in wait(session).message
