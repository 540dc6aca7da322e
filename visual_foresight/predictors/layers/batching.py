"""One observed scene for many candidates."""

from jaxtyping import Shaped
from torch import Tensor


def widen(memory: Shaped[Tensor, "b *z"], count: int) -> Shaped[Tensor, "{count} *z"]:
    """Return the memory of one scene as one for each candidate (a view).

    A memory of `count` scenes is returned as it is.

    Raises:
        ValueError: it is of another number of scenes.
    """
    if len(memory) not in (1, count):
        raise ValueError(
            f"a carry of 1 or {count} scenes was expected for {count} candidates, got {len(memory)}"
        )
    return memory.expand(count, *memory.shape[1:])
