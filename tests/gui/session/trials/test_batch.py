"""A batch of runs over scenes; no browser is needed."""

from dataclasses import replace

import numpy as np
import pytest

from tests.gui.sessions import DOT, make_goal, wait
from visual_foresight.gui.session.state import Status
from visual_foresight.gui.session.trials import repeats
from visual_foresight.gui.session.trials.batch import Batch, parse_num_scenes
from visual_foresight.types import UserError


def test_what_is_said_of_a_batch_has_the_interval():
    batch = Batch(5).with_outcome("reached").with_outcome("not reached")
    assert batch.text == "1 of 2 scenes reached (50 %; 95 % interval 9 to 91 %). 3 to come."
    stopped = replace(batch, is_running=False)
    assert stopped.text.endswith("Stopped; 3 left out.")
    assert Batch(5).text == "0 of 5 scenes are done."


def test_every_scene_is_a_run_of_its_own_and_the_same_tasks_come_again(session):
    session.choose(replace(DOT, model="simulator", num_steps=12))
    goals = []
    for _ in range(2):
        session.run_batch(2)
        state = wait(session)
        assert not state.is_error, state.message
        goals.append([entry.goal for entry in state.entries[-2:]])
        assert state.batch.outcomes == tuple(entry.outcome for entry in state.entries[-2:])
        assert state.batch.num_reached == 2 and not state.batch.is_running
    assert goals[0] == goals[1]
    assert len(set(goals[0])) == 2
    assert state.choices.seed == 3, "the seed that was chosen"


def test_stop_ends_a_batch(session):
    session.choose(replace(DOT, model="random", num_steps=200, stop_within_cm=0.0))
    session.run_batch(50)
    wait(
        session, lambda state: state.trial is not None and len(state.trial.episode.actions) > 2
    )
    session.stop()
    state = wait(session)
    assert len(state.batch.outcomes) < 50 and not state.batch.is_running
    assert state.entries[-1].outcome == "stopped"


def test_a_batch_ends_a_paused_run_first_and_leaves_a_scene_that_is_shown(session, monkeypatch):
    def no_room(env, seed, index):
        env.reset(seed=7)
        raise UserError("no scene has room for such a task")

    session.choose(replace(DOT, model="random"))
    before = session.state.frame
    make_goal(session)
    session.step()
    wait(session)
    monkeypatch.setattr(repeats, "draw_task", no_room)
    session.run_batch(2)
    state = wait(session)
    assert "has room" in state.message and state.status is Status.READY
    assert [entry.outcome for entry in state.entries] == ["stopped"]
    np.testing.assert_array_equal(state.frame, before)
    assert state.trial is None and not state.draft.pairs


@pytest.mark.parametrize("text", ["0", "201", "2.5", "", "many"])
def test_a_number_of_scenes_that_is_none_is_refused(text):
    with pytest.raises(
        UserError, match="a batch has 1 to 200 scenes, a whole number, got .*: "
    ):
        parse_num_scenes(text)
