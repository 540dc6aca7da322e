"""Known answers of the simulator of `pusht`."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest

from visual_foresight.envs.pusht.letters import LETTERS
from visual_foresight.envs.pusht.physics import Simulator
from visual_foresight.envs.pusht.states import (
    AgentState,
    LetterState,
    TableState,
)

FAR = TableState("T", AgentState((60.0, 450.0)), (LetterState((300.0, 150.0), 0.4),))
BELOW = TableState("T", AgentState((256.0, 420.0)), (LetterState((256.0, 256.0), 0.0),))
"""The agent stands below the stem of an upright T, whose end is at y = 331."""


def test_the_agent_reaches_its_target_as_a_critically_damped_spring():
    simulator = Simulator(FAR)
    for tenths in range(1, 11):
        simulator.advance((160.0, 400.0), 1)
        x, y = simulator.state().agent.place_mm
        # in small steps: x(t) = target + (start - target) (1 + w t) exp(-w t), w = 10 / s
        left = (1 + tenths) * math.exp(-tenths)
        assert x == pytest.approx(160 - 100 * left, abs=4.0)
        assert y == pytest.approx(400 + 50 * left, abs=2.0)
    simulator.advance((160.0, 400.0), 20)
    assert simulator.state().agent.place_mm == pytest.approx((160, 400), abs=1e-6)
    assert simulator.state().agent.velocity_mm == pytest.approx((0, 0), abs=1e-5)


def test_a_letter_that_nothing_touches_rests():
    simulator = Simulator(FAR)
    simulator.advance((160.0, 400.0), 20)
    assert simulator.state().letters == FAR.letters


def test_a_straight_push_through_the_centre_of_gravity_shifts_and_does_not_turn():
    simulator = Simulator(BELOW)
    simulator.advance((256.0, 300.0), 40)
    (letter,) = simulator.state().letters
    # The stem's end is 75 below the centre of gravity, and the agent's edge 15 above its centre.
    assert letter.place_mm == pytest.approx((256.0, 300.0 - 15 - 75), abs=0.2)
    assert letter.angle == pytest.approx(0, abs=1e-6)


def test_a_push_beside_the_centre_turns_it_away_from_the_agent():
    beside = replace(BELOW, agent=AgentState((300.0, 420.0)))
    simulator = Simulator(beside)
    simulator.advance((300.0, 200.0), 20)
    (letter,) = simulator.state().letters
    assert letter.angle < -0.3, "the right end of the bar goes up"


def test_what_was_pushed_does_not_slide_on():
    simulator = Simulator(BELOW)
    simulator.advance((256.0, 300.0), 2)
    simulator.advance((256.0, 480.0), 10)
    pushed = simulator.state().letters
    simulator.advance((256.0, 480.0), 10)
    assert simulator.state().letters == pushed


def test_the_future_of_a_state_in_contact_is_the_same_bit_for_bit():
    simulator = Simulator(BELOW)
    simulator.advance((280.0, 300.0), 5)
    state = pickle.loads(pickle.dumps(simulator.state()))
    one, other = Simulator(state), Simulator(state)
    other_state = None
    for target in ((300.0, 250.0), (200.0, 240.0), (240.0, 100.0)):
        one.advance(target, 5)
        other.advance(target, 5)
        other_state = other.state()
        assert one.state() == other_state
    assert other_state is not None and other_state.letters != state.letters


@pytest.mark.parametrize("seed", range(4))
def test_letters_stay_between_the_walls_whatever_pushes_them(seed):
    rng = np.random.default_rng(seed)
    simulator = Simulator(replace(BELOW, letters=(LetterState((120.0, 120.0), 2.0 * seed),)))
    for _ in range(60):
        place = np.array(simulator.state().letters[0].place_mm)
        here = np.array(simulator.state().agent.place_mm)
        wanted = place if rng.random() < 0.7 else rng.uniform(30, 480, 2)
        x, y = (here + np.clip(wanted - here, -40, 40)).clip(30, 480).tolist()
        simulator.advance((x, y), 5)
        assert np.abs(np.array(simulator.state().letters[0].place_mm) - 256).max() < 245


def test_letters_are_two_boxes_about_their_centre_of_gravity():
    letter = LETTERS["T"]
    assert letter.bar.corners_mm == [(-60, -45), (60, -45), (60, -15), (-60, -15)]
    assert letter.stem.corners_mm == [(-15, -45), (15, -45), (15, 75), (-15, 75)]
    assert letter.origin_mm == pytest.approx((0, -45))
    assert letter.radius_mm == pytest.approx(math.hypot(15, 75))
    places = np.array([[0.0, 0.0, 20.0, 0.0, 63.0]]), np.array([[0.0, -44.0, 0.0, 80.0, -49.0]])
    assert letter.distance_mm(*places)[0].tolist() == [-15, -1, 5, 5, 5]


def test_the_other_letter_has_its_stem_at_the_bars_end():
    letter = LETTERS["L"]
    assert letter.origin_mm == pytest.approx((22.5, -45))
    assert letter.stem.low_mm[0] == letter.bar.low_mm[0] == -60 + 22.5
