"""The device and the precision that networks compute with."""

import math
import time

import torch
from torch import nn

from visual_foresight.types import UserError


def find_device(name: str) -> torch.device:
    """Return a device by its name; `auto` takes the fastest available.

    Args:
        name: auto, cpu, mps, cuda, or one of several GPUs: cuda:1.

    Raises:
        UserError: there is no such device.
    """
    available = ["cpu"]  # slowest first
    if torch.backends.mps.is_available():
        available.append("mps")
    if torch.cuda.is_available():
        available.append("cuda")
    if name == "auto":
        return torch.device(available[-1])
    if "cuda" in available:
        available += [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if name not in available:
        raise UserError(
            f"the device {name!r} is not there: choose one of {', '.join(available)}"
        )
    return torch.device(name)


def bfloat16_pays(device: torch.device) -> bool:
    """Measure whether a typical convolution is at least a quarter faster in bfloat16.

    Forward and backward passes are timed. Processors without bfloat16 instructions emulate them,
    tens of times as slowly.
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
