"""One scene for many candidates: what was seen once is imagined from in many ways."""

from jaxtyping import Shaped
from torch import Tensor


def widen(memory: Shaped[Tensor, "b *z"], count: int) -> Shaped[Tensor, "{count} *z"]:
    """Give every candidate its own copy of a memory of b = 1 scene (a view); b = count passes."""
    if len(memory) not in (1, count):
        raise ValueError(
            f"a carry of 1 or {count} scenes was expected for {count} candidates, got {len(memory)}"
        )
    return memory.expand(count, *memory.shape[1:])
