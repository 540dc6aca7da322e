"""A model that has a checkpoint and imagines nothing."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from visual_foresight.control.loop import CLIP_FRAMES


@dataclass(frozen=True)
class Sizes:
    """What a checkpoint says that it was made for."""

    frame_size: tuple[int, int] = (16, 24)
    action_size: int = 2
    state_size: int = 2


class LongSighted(nn.Module):
    """Wants one frame more than the loop keeps."""

    context = CLIP_FRAMES + 1

    def __init__(self, config: Sizes) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.Linear(1, 1)

    def observe(self, clip: Any) -> Any:
        raise AssertionError("nothing is imagined here")

    designate = observe
    calibrate = observe
    imagine = observe
