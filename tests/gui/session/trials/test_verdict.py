"""When a run stops by itself, what is said of it, and how it goes on; no browser is needed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.gui.sessions import DOT, dot, make_goal, wait
from visual_foresight.gui.session.goals import Draft
from visual_foresight.gui.session.trials.verdict import StopRule

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


def test_a_run_that_the_judge_ended_goes_on_to_less_than_the_judge_says(session):
    """What acts at random believes nothing of the goal, so its belief would not do."""
    session.choose(
        replace(DOT, model="random", num_steps=200, stop_by="judge", stop_within_cm=5.0)
    )
    make_goal(session, right=5)
    session.run()
    state = wait(session)
    within_m = state.verdict.next_within_m
    assert within_m < state.entries[0].distance_m <= 0.05
    session.go_on()
    assert wait(session).entries[1].distance_m <= within_m


@pytest.mark.parametrize(
    ("away_m", "next_m"),
    [(0.05, 0.02), (0.04, 0.02), (0.03, 0.02), (0.015, 0.01), (0.0, 0.000625), (None, 0.04)],
)
def test_what_goes_on_does_not_end_at_once(away_m, next_m):
    """It is to come nearer than it is: the limit is halved until it is not met."""
    expected = 0.04 if away_m == 0.05 else next_m
    assert StopRule(0.04, False).nearer(away_m).within_m == pytest.approx(expected)


def test_again_after_going_on_is_for_the_same_point(session):
    """What goes on was designated in the first run; the goal's pixel need not show it any more."""
    session.choose(replace(DOT, model="random", num_steps=20))
    make_goal(session)
    session.run()
    wait(session)
    session.go_on()
    second = wait(session).trial
    session.again()
    third = wait(session)
    assert not third.is_error, third.message
    assert third.trial.goal == second.goal
    here = third.trial.episode.tracks[0]
    np.testing.assert_allclose(here, second.episode.tracks[0], atol=1e-6)


@pytest.mark.parametrize("repeat", ["again", "go_on"])
def test_a_paused_run_is_the_last_one(session, repeat):
    session.choose(replace(DOT, model="random", num_steps=3))
    make_goal(session)
    session.step()
    wait(session)
    getattr(session, repeat)()
    state = wait(session)
    assert not state.is_error, state.message
    assert [entry.outcome for entry in state.entries] == ["stopped", "not reached"]


def test_a_model_that_cannot_be_used_leaves_the_world_where_it_is(session):
    session.choose(replace(DOT, model="random", num_steps=20))
    make_goal(session)
    session.run()
    before = wait(session).frame
    session.choose(replace(DOT, model="flow"))
    session.again()
    state = wait(session)
    assert state.is_error and "was trained on states" in state.message
    np.testing.assert_array_equal(state.frame, before)


def test_what_moves_the_world_elsewhere_is_gone_on_with_by_nobody(session):
    """The fan moves what was designated, and is for no goal."""
    make_goal(session)
    session.run()
    wait(session)
    session.imagine_fan()
    wait(session)
    session.carry_out(0)
    assert wait(session).verdict is None
    session.go_on()
    assert "there is no run of this scene" in wait(session).message
