"""What is chosen and what is in effect; no browser is needed."""

from dataclasses import replace

import pytest

from tests.gui.sessions import DOT, make_goal, wait
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings, parse_num_steps
from visual_foresight.system.seeds import parse_seed
from visual_foresight.types import UserError


def test_a_choice_is_shared_at_once_and_takes_effect_with_the_next_plan(session):
    session.choose(replace(DOT, model="simulator", seed=9))
    state = session.state
    assert state.choices.model == "simulator" and state.settings == DOT
    assert state.waits_for_reset == ("seed",)
    make_goal(session)
    session.plan()
    state = wait(session)
    assert (state.settings.model, state.settings.seed) == ("simulator", 3)
    assert state.waits_for_reset == ("seed",), "the seed waits for a reset"
    session.reset()
    state = wait(session)
    assert state.settings == state.choices and state.settings.seed == 9
    assert state.waits_for_reset == ()


def test_what_a_run_under_way_uses_stays_in_effect(session):
    make_goal(session)
    session.step()
    wait(session)
    session.choose(replace(DOT, model="random"))
    session.step()
    state = wait(session)
    assert len(state.trial.episode.actions) == 2
    assert (state.settings.model, state.choices.model) == ("still", "random")


def test_models_that_cannot_plan_in_the_world_are_known_with_the_reason(session, tmp_path):
    unfit = session.state.unfit_models
    assert unfit["rigid"] == "this world has states of size 2, not 4"
    assert not {"still", "random", "simulator", "scripted"} & set(unfit)
    pushing = Session(Settings(env="push", model="still", preset="fast"), tmp_path / "push")
    try:
        assert not {"rigid", "flow", "scripted"} & set(wait(pushing).unfit_models)
    finally:
        pushing.close()


@pytest.mark.parametrize("text", ["abc", "1.5", "-1", str(2**64), "", " ", "1e3", "9" * 5000])
def test_a_seed_that_is_none_is_refused_in_a_sentence(text):
    with pytest.raises(UserError, match=r"whole number from 0 to 2\^64 - 1, got .*: "):
        parse_seed(text)


def test_seeds_are_taken_up_to_the_largest(tmp_path):
    assert parse_seed(" 7 ") == 7
    session = Session(replace(DOT, seed=parse_seed(str(2**64 - 1))), tmp_path / "out")
    try:
        wait(session)
        make_goal(session)
        session.plan()
        state = wait(session)
        assert not state.is_error, state.message
    finally:
        session.close()


@pytest.mark.parametrize("text", ["abc", "1.5", "-1", "0", "201", "", "²"])
def test_a_number_of_steps_that_is_none_is_refused_in_a_sentence(text):
    with pytest.raises(UserError, match="a run has 1 to 200 steps, a whole number, got .*: "):
        parse_num_steps(text)
