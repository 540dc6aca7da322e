"""What a pixel shows, in words."""

import numpy as np
import pytest

from tests.envs.slider import Slider
from tests.gui import sessions
from visual_foresight.envs.gymnasium_adapter import GymnasiumEnv
from visual_foresight.envs.registry import make
from visual_foresight.gui.session.guidance.pixels import OUT_OF_REACH, SeenThings
from visual_foresight.gui.session.session import Session
from visual_foresight.gui.session.settings import Settings
from visual_foresight.types import Pixel


def test_the_dot_is_an_object_and_the_rest_the_table(session):
    place = sessions.dot(session.state.frame)
    assert session.describe_pixel(place) == "an object"
    elsewhere = Pixel(place.row, 63 - place.col)
    assert session.describe_pixel(elsewhere) == "the table"


def test_the_table_has_objects_an_arm_and_places_out_of_reach():
    env = make("push")
    env.reset(seed=0)
    things = SeenThings.of(env)
    assert things is not None
    said = {
        things.at(Pixel(float(row), float(col)))
        for row, col in np.ndindex(*things.numbers.shape)
    }
    assert said == {"an object", "the table", "the arm", OUT_OF_REACH}
    assert things.at(Pixel(36.0, 24.0)) == "an object"
    assert things.at(Pixel(-1.0, 70.0)) == OUT_OF_REACH
    env.close()


def test_it_follows_a_run_and_is_silent_during_it(session):
    place, _ = sessions.make_goal(session)
    session.run()
    state = sessions.wait(session, lambda state: state.is_idle and state.entry_name != "")
    assert session.describe_pixel(sessions.dot(state.frame)) == "an object"
    session.open(state.entry_name)
    sessions.wait(session, lambda state: state.is_recorded and state.is_idle)
    assert session.describe_pixel(place) == ""


def test_a_world_that_cannot_tell_says_nothing():
    assert SeenThings.of(GymnasiumEnv(Slider())) is None


@pytest.mark.slow
def test_the_example_is_on_an_object_and_is_reached(tmp_path):
    from visual_foresight.control.judge import SUCCESS_M
    from visual_foresight.gui.session.guidance.example import EXAMPLE_GOAL, example

    session = Session(Settings(env="dot", model="still"), tmp_path / "out")
    sessions.wait(session)
    session.reset(example(session.state.settings), EXAMPLE_GOAL)
    state = sessions.wait(session)
    assert state.draft == EXAMPLE_GOAL
    assert session.describe_pixel(EXAMPLE_GOAL.pairs[0].source) == "an object"
    session.run()
    state = sessions.wait(session, lambda state: state.is_idle and state.entry_name != "")
    assert state.trial.distances_m[-1] < SUCCESS_M
    session.close()
