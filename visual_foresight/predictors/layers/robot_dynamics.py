"""What an action does to the robot's own state: a linear model, fitted by least squares."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from visual_foresight.types import Clip


class RobotDynamics(nn.Module):
    """How actions move the robot's own state.

    Linear, as in Finn et al. 2016, but fitted by least squares, not by gradient descent.
    """

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
        """Fit the dynamics and the mean and scale of the states to a clip."""
        before = clip.states[:, :-1].flatten(0, 1)
        after = clip.states[:, 1:].flatten(0, 1)
        self.mean.copy_(before.mean(0))
        self.scale.copy_(before.std(0).clamp(min=1e-2))
        inputs = self._inputs(before, clip.actions.flatten(0, 1))
        ridge = 1e-3 * torch.eye(inputs.shape[1]).to(inputs)  # for inputs that never change
        self.dynamics.copy_(
            torch.linalg.solve(inputs.T @ inputs + ridge, inputs.T @ (after - before))
        )

    def command(
        self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]
    ) -> Float[Tensor, "b d"]:
        """Return the d = a + s numbers of action and state, of the order of 1, for a network."""
        return torch.cat([action, self.standardised(state)], -1)

    def standardised(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b s"]:
        """Return a state as numbers of the order of 1."""
        return (state - self.mean) / self.scale

    def forward(
        self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]
    ) -> Float[Tensor, "b s"]:
        """Return the state after the action."""
        return state + self._inputs(state, action) @ self.dynamics

    def _inputs(
        self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]
    ) -> Float[Tensor, "b _"]:
        """Return what the next state is linear in: action, state, 1."""
        return torch.cat([self.command(state, action), torch.ones_like(state[:, :1])], -1)
