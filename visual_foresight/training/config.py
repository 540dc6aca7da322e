"""The configuration of a training run: what to learn from, what, and for how long."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from visual_foresight.predictors.registry import FLAGSHIP
from visual_foresight.types import UserError

NOT_NEGATIVE = (
    "seed",
    "minutes",
    "learning_rate",
    "moving_weight",
    "track_weight",
    "clip_norm",
)


@dataclass(frozen=True)
class TrainConfig:
    """What to learn from, what to learn, and for how long."""

    data: Path
    """Folder of episodes (see `visual-foresight collect`)."""
    out: Path
    """Folder of the run; a run that is there already is resumed."""
    predictor: str = FLAGSHIP
    """Name of a learned predictor."""
    member: str = "flow"
    """Name of the learned predictor that an ensemble is made of."""
    points: Path = Path("runs/points")
    """Folder where points that were followed through episodes are kept for later runs."""
    steps: int = 3600
    """Gradient steps."""
    minutes: float | None = None
    """Instead of `steps`: as many as this machine takes in so many minutes, measured when the run
    begins."""
    batch: int = 16
    """Clips per gradient step at the full horizon; at shorter ones there are more."""
    horizon: int = 12
    """Imagined steps per clip at the end of the training."""
    learning_rate: float = 2.5e-3
    """Of Adam, at the start; it falls to a twentieth along a cosine."""
    single: float = 0.75
    """Share of the training in which a single step is imagined; afterwards, clips grow to a
    quarter, a half and the whole of the horizon."""
    moving_weight: float = 6.0
    """Additional weight of pixels that differ from the newest context frame."""
    pixel_loss: Literal["absolute", "squared"] = "absolute"
    """Error of a pixel: the Charbonnier loss, which keeps edges sharp, or the square, which keeps
    small objects from fading away."""
    track_weight: float = 0.3
    """Weight of the pixel maps' error, in pixels, against points followed in the frames."""
    ema: float = 0.995
    """Decay of the averaged weights; it is less during the first hundreds of steps."""
    clip_norm: float = 1.0
    """Largest norm of a gradient."""
    held_out_share: float = 0.05
    """Share of the episodes that is evaluated on and not learnt from."""
    every: int = 200
    """Gradient steps between checkpoints, each with an evaluation and a filmstrip."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of convolutions and matrix products; auto measures, when a run begins, whether bfloat16 is
    faster on this machine."""
    seed: int = 0
    """Decides the initial weights and the batches."""

    def __post_init__(self) -> None:
        no_minutes = self.minutes is not None and self.minutes <= 0
        if no_minutes or min(self.steps, self.batch, self.horizon, self.every) < 1:
            raise UserError(
                "steps, batch, horizon and every are 1 or more, and minutes more than 0: "
                "raise what is below"
            )
        if not 0 <= self.single <= 1:
            raise UserError(
                f"a share is between 0 and 1, got --single {self.single:g}: choose another"
            )
        if not 0 <= self.ema < 1:
            raise UserError(f"ema is in [0, 1), got {self.ema:g}: choose another")
        for name in NOT_NEGATIVE:
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                flag = name.replace("_", "-")
                raise UserError(
                    f"--{flag} is a number, 0 or more, got {value:g}: choose another"
                )


def comparable(config: TrainConfig) -> dict[str, Any]:
    """Return the settings that a run must have in common with the one that it resumes.

    Paths and the device may change; the precision is decided when a run begins. The values are
    those that JSON gives back.
    """
    free = ("data", "out", "points", "device", "precision")
    settings = {name: value for name, value in asdict(config).items() if name not in free}
    return json.loads(json.dumps(settings))
