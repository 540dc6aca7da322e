"""The device that networks compute on."""

import pytest
import torch

from visual_foresight.system.devices import find_device
from visual_foresight.types import UserError


@pytest.mark.parametrize(
    ("mps", "cuda", "fastest"),
    [(False, False, "cpu"), (True, False, "mps"), (True, True, "cuda"), (False, True, "cuda")],
)
def test_auto_is_the_fastest_available(
    monkeypatch: pytest.MonkeyPatch, mps: bool, cuda: bool, fastest: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert find_device("auto").type == fastest
    assert find_device("cpu").type == "cpu"


def test_a_device_that_is_not_there_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for name in ("abacus", "cuda"):
        with pytest.raises(UserError, match=f"the device '{name}' is not there.*one of cpu"):
            find_device(name)


def test_one_of_several_gpus_is_named_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert find_device("cuda:1") == torch.device("cuda", 1)
    assert find_device("auto") == torch.device("cuda")
    with pytest.raises(UserError, match="'cuda:2' is not there: .*cpu, cuda, cuda:0, cuda:1$"):
        find_device("cuda:2")
