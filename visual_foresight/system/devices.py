"""Where and how exactly networks compute: the device and the precision."""

import math
import time

import torch
from torch import nn

from visual_foresight.types import UserError


def find_device(name: str) -> torch.device:
    """Return a device by its name; `auto` takes the fastest that is there.

    Raises:
        UserError: there is no such device.
    """
    if name == "auto":
        name = (
            "cuda"
            if torch.cuda.is_available()
            else "mps"
            if torch.backends.mps.is_available()
            else "cpu"
        )
    usable = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not usable.get(name, False):
        raise UserError(
            f"the device {name!r} is not there: choose one of {', '.join(n for n, u in usable.items() if u)}"
        )
    return torch.device(name)


def bfloat16_pays(device: torch.device) -> bool:
    """Measure whether a convolution as predictors have them is a quarter faster in bfloat16,
    forward and backward.

    Processors without such instructions emulate it, tens of times as slowly.
    """
    convolution = nn.Conv2d(64, 64, 3, padding=1, device=device)
    images = torch.rand(16, 64, 16, 16, device=device).to(memory_format=torch.channels_last)
    fastest: dict[bool, float] = {}
    for enabled in (False, True) * 10:
        began = time.perf_counter()
        with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
            result = convolution(images).float().square().mean()
        result.backward()
        result.item()
        fastest[enabled] = min(time.perf_counter() - began, fastest.get(enabled, math.inf))
    return fastest[True] < 0.75 * fastest[False]
