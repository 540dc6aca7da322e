"""In which order is learnt: single steps first, then longer and longer rollouts."""

from itertools import accumulate

from visual_foresight.training.config import TrainConfig

LONGER = ((1 / 2, 1 / 4), (1 / 4, 1 / 2), (1 / 4, 1.0))
"""Of what is left when single steps have been learnt: shares, and parts of the horizon that are
imagined in them."""


def curriculum(config: TrainConfig) -> list[tuple[int, int]]:
    """Return up to which gradient step how many steps are imagined."""
    shares = [
        (config.single, 0.0),
        *(((1 - config.single) * share, part) for share, part in LONGER),
    ]
    ends = accumulate(share for share, _ in shares)
    return [
        (round(end * config.steps), max(1, round(part * config.horizon)))
        for end, (share, part) in zip(ends, shares, strict=True)
        if share > 0
    ]


def horizon_at(step: int, config: TrainConfig) -> int:
    """Return the curriculum's number of imagined steps, which grows up to the horizon."""
    parts = curriculum(config)
    return next((horizon for end, horizon in parts if step < end), parts[-1][1])


def batch_at(step: int, config: TrainConfig) -> int:
    """Return how many clips are learnt from at once.

    The shorter, the more, so that every step imagines as many frames.
    """
    return config.batch * max(1, config.horizon // horizon_at(step, config))
