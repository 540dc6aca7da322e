"""A predictor on another device: its caller notices nothing.

Where there is none, the device is the caller's own.
"""

import torch

from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.system.devices import find_device
from visual_foresight.types import Clip, Pixel, Prediction
from visual_foresight.vision.pixel_maps import splat


class Witness:
    """Notes where what it is given is, and imagines two futures."""

    context = 1

    def __init__(self) -> None:
        self.devices: set[str] = set()

    def observe(self, clip: Clip) -> torch.Tensor:
        self.devices |= {
            clip.actions.device.type,
            clip.frames.device.type,
            clip.states.device.type,
        }
        return clip.frames[:, -1]

    def imagine(self, carry, actions, pixel_maps, decode=False) -> Prediction:
        self.devices |= {carry.device.type, actions.device.type, pixel_maps.device.type}
        maps = pixel_maps[:, None].expand(-1, actions.shape[1], -1, -1, -1)
        one = Prediction(
            carry[:, None][:, :0].expand(len(actions), -1, -1, -1, -1),
            maps,
            maps[..., 0, 0],
            carry,
            frame_size=(64, 64),
        )
        return Prediction.average([one, one])


def seen() -> Clip:
    rng = torch.Generator().manual_seed(0)
    states = torch.tensor([0.5, 0.0, 0.02, 0.0]).expand(1, 2, 4)
    return Clip(torch.zeros(1, 1, 2), torch.rand(1, 2, 3, 64, 64, generator=rng), states)


def test_what_is_given_goes_there_and_what_comes_back_goes_to_where_the_maps_were(
    monkeypatch,
) -> None:
    asked: list[torch.device] = []

    def to(imagined: Prediction, device: torch.device) -> Prediction:
        asked.append(device)  # nothing can be copied from the device "meta"
        return imagined

    monkeypatch.setattr(Prediction, "to", to)
    witness = Witness()
    there = torch.device("meta")
    predictor = OnDevice(witness, there)
    carry = predictor.observe(seen())
    assert carry.device == there
    predictor.imagine(carry, torch.zeros(3, 2, 2), torch.ones(3, 1, 4, 4) / 16)
    assert witness.devices == {"meta"}
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
