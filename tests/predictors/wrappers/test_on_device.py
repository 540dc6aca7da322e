"""A predictor on another device: its caller notices nothing.

Where there is none, the device is the caller's own.
"""

import torch

from tests.fakes.clips import clip_of, noise_clip
from tests.fakes.dot_model import DotModel
from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.system.devices import find_device
from visual_foresight.types import Clip, Pixel, Prediction
from visual_foresight.vision.pixel_maps import splat


def seen() -> Clip:
    states = torch.tensor([0.5, 0.0, 0.02, 0.0]).expand(1, 2, 4)
    return clip_of(noise_clip(1, 1, (64, 64)).frames, states=states)


def test_what_is_given_goes_there_and_what_comes_back_goes_to_where_the_maps_were(
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
    predictor.imagine(carry, torch.zeros(3, 2, 2), torch.ones(3, 1, 4, 4) / 16)
    (clip,) = model.clips
    (question,) = model.questions
    given = (clip.actions, clip.frames, clip.states, question.actions, question.pixel_maps)
    assert {each.device for each in given} == {there}
    assert asked == [torch.device("cpu")]


def test_the_shipped_model_imagines_the_same_there() -> None:
    device = find_device("auto")
    here = load("flow")
    there = OnDevice(load("flow", device), device)
    maps = splat((Pixel(30, 30),), (32, 32), (64, 64)).expand(2, -1, -1, -1)
    actions = torch.tensor([[[0.5, -0.5]] * 3, [[-1.0, 0.2]] * 3])
    one = here.imagine(here.observe(seen()), actions, maps, True)
    two = there.imagine(there.observe(seen()), actions, maps, True)
    for part in ("frames", "pixel_maps", "lost"):
        assert getattr(two, part).device.type == "cpu"
        torch.testing.assert_close(getattr(one, part), getattr(two, part), rtol=1e-3, atol=1e-3)
