"""What an action does to the robot's own state: linear, and found by least squares."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from visual_foresight.types import Clip


class RobotDynamics(nn.Module):
    """How actions move the robot's own state.

    Linear, as in Finn et al. 2016, but found by least squares, not by descent.
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
        """Find the dynamics, and the range of the states, in experience."""
        before, after = clip.states[:, :-1].flatten(0, 1), clip.states[:, 1:].flatten(0, 1)
        self.mean.copy_(before.mean(0))
        self.scale.copy_(before.std(0).clamp(min=1e-2))
        causes = self._causes(before, clip.actions.flatten(0, 1))
        ridge = 1e-3 * torch.eye(causes.shape[1]).to(causes)  # for what never changes
        self.dynamics.copy_(
            torch.linalg.solve(causes.T @ causes + ridge, causes.T @ (after - before))
        )

    def command(
        self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]
    ) -> Float[Tensor, "b d"]:
        """Return state and action as a network sees them: d = a + s numbers of the order of 1."""
        return torch.cat([action, self.standardised(state)], -1)

    def standardised(self, state: Float[Tensor, "b s"]) -> Float[Tensor, "b s"]:
        """Return a state as numbers of the order of 1."""
        return (state - self.mean) / self.scale

    def forward(
        self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]
    ) -> Float[Tensor, "b s"]:
        """Return the state after the action."""
        return state + self._causes(state, action) @ self.dynamics

    def _causes(
        self, state: Float[Tensor, "b s"], action: Float[Tensor, "b a"]
    ) -> Float[Tensor, "b _"]:
        return torch.cat([self.command(state, action), torch.ones_like(state[:, :1])], -1)
