"""A predictor on another device: its caller notices nothing.

Where there is none, the device is the caller's own.
"""

import torch

from tests.fakes.clips import clip_of, noise_clip
from tests.fakes.dot_model import DotModel
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.system.devices import find_device
from visual_foresight.types import Clip, Prediction


def seen() -> Clip:
    states = torch.tensor([0.5, 0.0, 0.02, 0.0]).expand(1, 2, 4)
    return clip_of(noise_clip(1, 1, (64, 64)).frames, states=states)


def test_what_is_given_goes_there_and_what_comes_back_goes_to_where_the_actions_were(
    monkeypatch,
) -> None:
    asked: list[torch.device] = []

    def to(imagined: Prediction, device: torch.device) -> Prediction:
        asked.append(device)  # nothing can be copied from the device "meta"
        return imagined

    monkeypatch.setattr(Prediction, "to", to)
    model = DotModel()
    there = torch.device("meta")
    predictor = OnDevice(model, there)
    carry = predictor.observe(seen())
    assert carry.frame.device == there
    carry = predictor.designate(carry, torch.ones(1, 1, 2))
    predictor.imagine(carry, torch.zeros(3, 2, 2))
    (clip,) = model.clips
    (question,) = model.questions
    given = (clip.actions, clip.frames, clip.states, question.actions, question.carry.pixels)
    assert {each.device for each in given} == {there}
    assert asked == [torch.device("cpu")]


def test_the_shipped_model_imagines_the_same_there() -> None:
    device = find_device("auto")
    here = load("flow")
    there = OnDevice(load("flow", device), device)
    pixels = torch.tensor([[[30.0, 30.0]]])
    actions = torch.tensor([[[0.5, -0.5]] * 3, [[-1.0, 0.2]] * 3])
    one = here.imagine(here.designate(here.observe(seen()), pixels), actions, True)
    two = there.imagine(there.designate(there.observe(seen()), pixels), actions, True)
    for part in ("frames", "pixel_maps", "lost"):
        assert getattr(two, part).device.type == "cpu"
        torch.testing.assert_close(getattr(one, part), getattr(two, part), rtol=1e-3, atol=1e-3)
