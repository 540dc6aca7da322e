"""How long a run will still take, and what fields say of themselves."""

from dataclasses import dataclass, replace

import pytest

from tests.gui import sessions
from visual_foresight.gui.page.hints import field_hints
from visual_foresight.gui.page.pace import Pace
from visual_foresight.gui.session.settings import Settings
from visual_foresight.gui.session.state import Status


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def states(session):
    """A run of four actions, as it looks after each of them."""
    sessions.make_goal(session)
    session.run()
    state = sessions.wait(session, lambda state: state.is_idle and state.entry_name != "")
    trial = state.trial
    whole = trial.episode

    def episode(num_done):
        return replace(
            whole,
            frames=whole.frames[: num_done + 1],
            states=whole.states[: num_done + 1],
            tracks=whole.tracks[: num_done + 1],
            actions=whole.actions[:num_done],
        )

    return [
        replace(state, status=Status.RUNNING, trial=replace(trial, episode=episode(number)))
        for number in range(len(whole.actions) + 1)
    ]


def test_the_first_step_does_not_count(states):
    clock = Clock()
    pace = Pace(clock)
    said = []
    for state, now_s in zip(states, (0, 60, 62, 64, 66), strict=True):
        clock.now_s = now_s
        pace.follow(state)
        said.append(pace.text(state))
    assert said == [
        "",
        "step 1 of 4",
        "step 2 of 4, 2.0 s each, 4 s left at most",
        "step 3 of 4, 2.0 s each, 2 s left at most",
        "step 4 of 4, 2.0 s each, 0 s left at most",
    ]


def test_another_run_begins_anew(states):
    clock = Clock()
    pace = Pace(clock)
    for state, now_s in ((states[1], 0), (states[2], 1), (states[1], 500), (states[2], 503)):
        clock.now_s = now_s
        pace.follow(state)
    assert pace.text(states[2]) == "step 2 of 4, 3.0 s each, 6 s left at most"


def test_a_future_of_the_fan_has_steps_of_its_own(session):
    session.imagine_fan()
    horizon = sessions.wait(session).fan.actions.shape[1]
    said = set()
    session.carry_out(0)
    while not session.state.is_idle:
        said.add(Pace().text(session.state))
    assert said <= {"", *(f"step {number} of {horizon}" for number in range(1, 11))}
    assert session.state.run_length == horizon == 10 != session.state.settings.num_steps


def test_every_setting_of_the_page_says_what_it_is():
    hints = field_hints(Settings)
    assert hints.keys() == Settings.__dataclass_fields__.keys()
    assert hints["num_steps"] == "Actions of a run, unless it is stopped."
