"""Convolutional layers: a convolutional LSTM, residual layers, up-sampling."""

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class ConvLSTM(nn.Module):
    """One step of a convolutional LSTM (Shi et al. 2015) without peepholes.

    Its memory is [hidden, cell].
    """

    def __init__(self, num_inputs: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(num_inputs + channels, 4 * channels, 3, padding=1)

    def forward(
        self, inputs: Float[Tensor, "b c h w"], memory: Float[Tensor, "b z h w"]
    ) -> Float[Tensor, "b z h w"]:
        """Return the memory after these inputs; its first half is the hidden state."""
        hidden, cell = memory.chunk(2, 1)
        keep, write, show, candidate = self.gates(torch.cat([inputs, hidden], 1)).chunk(4, 1)
        # by + 1, an untrained cell tends to keep what it holds
        cell = (keep + 1).sigmoid() * cell + write.sigmoid() * candidate.tanh()
        return torch.cat([show.sigmoid() * cell.tanh(), cell], 1)

    def blank(
        self, like: Float[Tensor, "b c h w"], size: tuple[int, int]
    ) -> Float[Tensor, "b z {size[0]} {size[1]}"]:
        """Return an initial memory, zeros, for a batch like this one."""
        return like.new_zeros(len(like), 2 * self.channels, *size)


class Residual(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, inputs: Float[Tensor, "b z h w"]) -> Float[Tensor, "b z h w"]:
        """Return the inputs plus what two convolutions make of them."""
        return inputs + self.second(functional.relu(self.first(functional.relu(inputs))))


def doubling(num_inputs: int, channels: int) -> nn.Module:
    """Return a layer that doubles rows and columns (a convolution and a pixel shuffle)."""
    return nn.Sequential(nn.Conv2d(num_inputs, 4 * channels, 1), nn.PixelShuffle(2))


def tile(
    vector: Float[Tensor, "b d"], size: tuple[int, int]
) -> Float[Tensor, "b d {size[0]} {size[1]}"]:
    """Repeat a vector at every place of a grid (Finn et al. 2016, figure 1)."""
    return repeat(vector, "b d -> b d h w", h=size[0], w=size[1])


def normal_(layer: nn.Module, std: float) -> nn.Module:
    """Initialise a layer's weights from a normal distribution, and its bias with 0."""
    for name, weights in layer.named_parameters():
        if name == "bias":
            nn.init.zeros_(weights)
        else:
            nn.init.normal_(weights, std=std)
    return layer
