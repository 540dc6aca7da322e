"""How much each imagined step counts in a cost."""

import torch
from jaxtyping import Float
from torch import Tensor


def step_weights(num_steps: int, final_weight: float) -> Float[Tensor, " {num_steps}"]:
    """Return weights of steps with sum 1, all alike but for the last."""
    weight = torch.ones(num_steps)
    weight[-1] = final_weight
    return weight / weight.sum()
