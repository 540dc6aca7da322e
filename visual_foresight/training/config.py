"""How long to learn, from what, and in which order.

The configuration of a run, and the curriculum that follows from it.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import UserError


@dataclass(frozen=True)
class TrainConfig:
    """What to learn from, what to learn, and for how long."""

    data: Path
    """Folder of episodes (see `visual-foresight collect`)."""
    out: Path
    """Folder of the run; a run found there is resumed."""
    predictor: str = FLAGSHIP
    """Name of a learned predictor."""
    member: str = "flow"
    """What an ensemble is made of: name of another learned predictor."""
    points: Path = Path("runs/points")
    """Folder where points that were followed through the episodes are kept for the next run."""
    steps: int = 3600
    """Gradient steps."""
    minutes: float | None = None
    """Take as many steps instead as this machine takes in so many minutes; measured when the
    run begins."""
    batch: int = 16
    """Clips per step, at the full horizon (see `batch_at`)."""
    horizon: int = 12
    """Imagined steps per clip at the end of the curriculum."""
    learning_rate: float = 2.5e-3
    """Adam's, at the start; it falls to a twentieth along a cosine."""
    single: float = 0.75
    """Share of the training in which a single step is imagined; then clips grow to a quarter,
    half and the whole horizon."""
    moving_weight: float = 6.0
    """Extra weight of pixels that differ from the newest context frame."""
    pixel_loss: Literal["absolute", "squared"] = "absolute"
    """Of a pixel's error: Charbonnier's, which keeps edges sharp, or the square, which does not
    let small things fade away."""
    track_weight: float = 0.3
    """Weight of a pixel map's error (in pixels, against points followed in the frames)."""
    ema: float = 0.995
    """Decay of the averaged weights, after some hundreds of steps; at first it is less."""
    clip_norm: float = 1.0
    """Largest norm of a gradient."""
    held_out_share: float = 0.05
    """Share of the episodes that is only looked at."""
    every: int = 200
    """Steps between checkpoints, looks at held-out clips and filmstrips."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the convolutions and products; auto measures, when a run begins, whether bfloat16 is
    faster on this machine."""
    seed: int = 0
    """Of the weights and the batches."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.horizon, self.every) < 1 or (
            self.minutes is not None and self.minutes <= 0
        ):
            raise UserError(
                "steps, batch, horizon and every are 1 or more, and minutes more than 0: raise what is below"
            )
        if not 0 <= self.single <= 1:
            raise UserError(
                f"a share is between 0 and 1, got --single {self.single:g}: choose another"
            )
        if not 0 <= self.ema < 1:
            raise UserError(f"ema is in [0, 1), got {self.ema:g}: choose another")
        for name in (
            "seed",
            "minutes",
            "learning_rate",
            "moving_weight",
            "track_weight",
            "clip_norm",
        ):
            if not 0 <= (value := getattr(self, name) or 0) < math.inf:
                raise UserError(
                    f"--{name.replace('_', '-')} is a number, 0 or more, got {value:g}: choose another"
                )


def comparable(config: TrainConfig) -> dict[str, Any]:
    """Return what two runs must share to be one.

    All but where they run, and with what precision, which a run keeps to.
    """
    where = ("data", "out", "points", "device", "precision")
    return json.loads(
        json.dumps({name: value for name, value in asdict(config).items() if name not in where})
    )
