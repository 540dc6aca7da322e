"""What a prediction carries along."""

from dataclasses import replace

import torch

from visual_foresight.types import Prediction

ACTIONS = torch.zeros(3, 4, 2)


def saying(reward: float) -> Prediction:
    """Return a prediction of 3 candidates and 4 steps that promises a reward at each."""
    nothing = Prediction.without_model(ACTIONS, (6, 8))
    return replace(nothing, signals={"reward": torch.full((3, 4), reward)})


def test_a_prediction_has_no_signals_unless_it_is_given_some():
    assert Prediction.without_model(ACTIONS, (6, 8)).signals == {}


def test_signals_go_to_a_device_and_are_averaged_over_members():
    assert saying(1.0).to("meta").signals["reward"].device.type == "meta"
    average = Prediction.average([saying(1.0), saying(4.0)])
    assert torch.equal(average.signals["reward"], torch.full((3, 4), 2.5))
    assert average.members[1].signals["reward"][0, 0] == 4
