"""A predictor on another device: its caller notices nothing.

Where there is none, the device is the caller's own.
"""

import torch

from visual_foresight.predictors.checkpoints import load
from visual_foresight.predictors.wrappers.on_device import OnDevice
from visual_foresight.system.devices import find_device
from visual_foresight.types import Clip, Prediction


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

    def designate(self, carry, pixels) -> torch.Tensor:
        self.devices |= {carry.device.type, pixels.device.type}
        return carry

    def imagine(self, carry, actions, decode=False) -> Prediction:
        self.devices |= {carry.device.type, actions.device.type}
        maps = actions.new_zeros(len(actions), actions.shape[1], 1, 4, 4)
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


def test_what_is_given_goes_there_and_what_comes_back_goes_to_where_the_actions_were(
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
    predictor.imagine(predictor.designate(carry, torch.ones(1, 1, 2)), torch.zeros(3, 2, 2))
    assert witness.devices == {"meta"}
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
