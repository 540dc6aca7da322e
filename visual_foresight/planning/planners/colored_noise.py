"""Gaussian sequences whose power falls with frequency: smooth actions."""

import math

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor


def colored_noise(
    shape: tuple[int, int, int], exponent: float, rng: torch.Generator
) -> Float[Tensor, "{shape[0]} {shape[1]} {shape[2]}"]:
    """Draw Gaussian sequences of variance 1 whose power falls as frequency ** -exponent.

    Timmer & Koenig, "On generating power law noise", Astronomy and Astrophysics 300, 1995, as
    in iCEM: the mean of a sequence (frequency 0) has the power of the lowest frequency. iCEM
    scales without that mean; we count it, so that the variance is 1 at every step whatever the
    exponent and the length.

    Args:
        shape: Sequences, steps per sequence, action size.
        exponent: 0 for white noise, 1 for pink noise, 2 for that of a random walk.
        rng: The source of chance; the noise is made on its device.
    """
    num, steps, size = shape
    frequency = torch.fft.rfftfreq(steps).clamp(min=1 / steps)
    power = frequency**-exponent
    # Frequency 0 and, for an even length, the highest one stand once in the spectrum, the
    # others twice (both signs).
    copies = torch.full_like(power, 2.0)
    copies[0] = 1.0
    if steps % 2 == 0:
        copies[-1] = 1.0
    share = (power / (power * copies).sum()).to(rng.device)
    drawn = torch.randn(2, num, size, len(share), generator=rng, device=rng.device)
    real, imaginary = drawn.unbind(0)
    once = (copies == 1).to(rng.device)
    imaginary = imaginary.masked_fill(once, 0)
    real = torch.where(once, real, real / math.sqrt(2))
    spectrum = torch.complex(real, imaginary / math.sqrt(2)) * share.sqrt()
    return rearrange(torch.fft.irfft(spectrum, n=steps, norm="forward"), "n a t -> n t a")
