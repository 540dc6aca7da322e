"""What the recurrent predictors are built from: a convolutional LSTM, up-sampling, and what an action does to the robot."""

import torch
from einops import repeat
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.nn import functional

from visual_foresight.types import Clip


class ConvLSTM(nn.Module):
    """One step of a convolutional LSTM (Shi et al. 2015) without peepholes; its memory is [hidden, cell]."""

    def __init__(self, num_inputs: int, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gates = nn.Conv2d(num_inputs + channels, 4 * channels, 3, padding=1)

    def forward(self, inputs: Float[Tensor, "b c h w"], memory: Float[Tensor, "b z h w"]) -> Float[Tensor, "b z h w"]:
        """Return the memory after these inputs; its first half is what the cell shows."""
        hidden, cell = memory.chunk(2, 1)
        keep, write, show, candidate = self.gates(torch.cat([inputs, hidden], 1)).chunk(4, 1)
        cell = (keep + 1).sigmoid() * cell + write.sigmoid() * candidate.tanh()  # at first, it rather keeps
        return torch.cat([show.sigmoid() * cell.tanh(), cell], 1)

    def blank(self, like: Float[Tensor, "b c h w"], size: tuple[int, int]) -> Float[Tensor, "b z {size[0]} {size[1]}"]:
        """Return the memory of nothing, for as many scenes as there are frames."""
        return like.new_zeros(len(like), 2 * self.channels, *size)


class Residual(nn.Module):
    """Two convolutions around a skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, inputs: Float[Tensor, "b z h w"]) -> Float[Tensor, "b z h w"]:
        """Return inputs plus what two convolutions make of them."""
        return inputs + self.second(functional.relu(self.first(functional.relu(inputs))))


class Robot(nn.Module):
    """How actions move the robot's own state: linear, as in Finn et al. 2016, but found by least squares, not by descent."""

    dynamics: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, action_size: int, state_size: int) -> None:
        super().__init__()
        self.register_buffer("dynamics", torch.zeros(action_size + state_size + 1, state_size))
        self.register_buffer("mean", torch.zeros(state_size))
        self.register_buffer("scale", torch.ones(state_size))

    @torch.no_grad()
    def calibrate(self, clip: Clip) -> None:
        """Find the dynamics, and the range of the states, in experience."""
        before, after = clip.states[:, :-1].flatten(0, 1), clip.states[:, 1:].flatten(0, 1)
        self.mean.copy_(before.mean(0))
        self.scale.copy_(before.std(0).clamp(min=1e-2))
        causes = self._causes(before, clip.actions.flatten(0, 1))
        ridge = 1e-3 * torch.eye(causes.shape[1]).to(causes)  # for what never changes
        self.dynamics.copy_(torch.linalg.solve(causes.T @ causes + ridge, causes.T @ (after - before)))

    def command(self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]) -> Float[Tensor, "b d"]:
        """Return state and action as a network sees them: d = a + s numbers of the order of 1."""
        return torch.cat([action, self.standardised(state)], -1)

    def standardised(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b s"]:
        """Return a state as numbers of the order of 1."""
        return (state - self.mean) / self.scale

    def forward(self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]) -> Float[Tensor, "b s"]:
        """Return the state after the action."""
        return state + self._causes(state, action) @ self.dynamics

    def _causes(self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]) -> Float[Tensor, "b _"]:
        return torch.cat([self.command(state, action), torch.ones_like(state[:, :1])], -1)


def doubling(num_inputs: int, channels: int) -> nn.Module:
    """Return a layer that doubles rows and columns: a convolution of which four channels make a 2x2 block."""
    return nn.Sequential(nn.Conv2d(num_inputs, 4 * channels, 1), nn.PixelShuffle(2))


def tile(vector: Float[Tensor, "b d"], size: tuple[int, int]) -> Float[Tensor, "b d {size[0]} {size[1]}"]:
    """Repeat a vector at every place of a grid (Finn et al. 2016, figure 1)."""
    return repeat(vector, "b d -> b d h w", h=size[0], w=size[1])


def widen(memory: Shaped[Tensor, "b *z"], count: int) -> Shaped[Tensor, "{count} *z"]:
    """Give every candidate its own copy of a memory of b = 1 scene (a view); b = count passes."""
    if len(memory) not in (1, count):
        raise ValueError(f"a carry of 1 or {count} scenes was expected for {count} candidates, got {len(memory)}")
    return memory.expand(count, *memory.shape[1:])


def normal_(layer: nn.Module, std: float) -> nn.Module:
    """Draw a layer's weights with this standard deviation, its bias being 0."""
    for name, weights in layer.named_parameters():
        nn.init.zeros_(weights) if name == "bias" else nn.init.normal_(weights, std=std)
    return layer
