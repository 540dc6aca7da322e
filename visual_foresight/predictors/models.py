"""What a predictor's file hands to the registry: its class, its configuration and its recipe.

The recipe is everything that training decides besides the model: optimiser, schedule, clips,
losses and teacher. Its values are those with which the model's published figures were made.
"""

import math
from dataclasses import dataclass, fields
from typing import Any, Literal

from visual_foresight.types import UserError

FROM_DATA = ("frame_size", "action_size", "state_size", "homography", "views")
"""Fields of configurations that follow from the data, and are nobody's to set."""


LARGEST = 4096
"""Largest size or count in a model's configuration, where its field says no other."""
COARSEST_PX = 8
"""Side, in frame pixels, of a place of the deepest features: frames have multiples of it."""


def require_multiples(frame_size: tuple[int, int]) -> None:
    """Refuse frames that do not divide into places of the deepest features.

    The registry pads frames for models that say their `multiple`: here is refused who builds a
    model without it.

    Raises:
        UserError: a side is no multiple of `COARSEST_PX`; the sentence names sizes that are.
    """
    height, width = frame_size
    if height % COARSEST_PX or width % COARSEST_PX or min(height, width) < COARSEST_PX:
        fitting = "x".join(
            str(max(side // COARSEST_PX, 1) * COARSEST_PX) for side in frame_size
        )
        raise UserError(
            f"frames whose sides are multiples of {COARSEST_PX} are needed, got {height}x{width}: "
            f"collect others, of {fitting} for example, or choose another predictor"
        )


def refuse_negative(**values: float) -> None:
    """Raise a UserError unless all values are finite and 0 or more; it names the flag."""
    for name, value in values.items():
        if not 0 <= value < math.inf:
            flag = name.replace("_", "-")
            raise UserError(f"--{flag} is a number, 0 or more, got {value:g}: choose another")


def require_sound(config: Any) -> None:
    """Refuse a model's configuration in which a number is none to build a network of.

    Whole numbers are sizes or counts: from 1 on, or from 0 on where that is the default; a field
    says another least value, or largest one, as `metadata={"least": 2, "most": 64}`. Other numbers
    are finite, and 0 or more unless their default is less. What follows from the data is not asked.

    Args:
        config: an instance of a dataclass.

    Raises:
        UserError: names the flag, and what was expected.
    """
    for each in fields(config):
        value = getattr(config, each.name)
        flag = f"--model.{each.name.replace('_', '-')}"
        if each.name in FROM_DATA or isinstance(value, bool):
            continue
        is_signed = isinstance(each.default, int | float) and each.default < 0
        if isinstance(value, int):
            usual = 0 if each.default == 0 else 1
            least = each.metadata.get("least", -LARGEST if is_signed else usual)
            most = each.metadata.get("most", LARGEST)
            if not least <= value <= most:
                raise UserError(
                    f"{flag} is a whole number from {least} to {most}, got {value}: choose another"
                )
        elif isinstance(value, float) and not (
            math.isfinite(value) and (is_signed or value >= 0)
        ):
            expected = "a number" if is_signed else "a number, 0 or more"
            raise UserError(f"{flag} is {expected}, got {value:g}: choose another")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is trained."""

    steps: int = 3600
    """Gradient steps."""
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
    teacher: str = "rigid_tracks"
    """What follows these points: rigid_tracks (it needs a calibrated camera), optical_flow (it
    needs frames alone), none (models then learn from frames alone), or what a package brings."""
    ema: float = 0.995
    """Decay of the averaged weights; it is less during the first hundreds of steps."""
    clip_norm: float = 1.0
    """Largest norm of a gradient."""
    every: int = 200
    """Gradient steps between checkpoints, each with an evaluation and a filmstrip."""

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.horizon, self.every) < 1:
            raise UserError(
                "steps, batch, horizon and every are 1 or more: raise what is below"
            )
        if not 0 <= self.single <= 1:
            raise UserError(
                f"a share is between 0 and 1, got --single {self.single:g}: choose another"
            )
        if not 0 <= self.ema < 1:
            raise UserError(f"ema is in [0, 1), got {self.ema:g}: choose another")
        refuse_negative(
            learning_rate=self.learning_rate,
            moving_weight=self.moving_weight,
            track_weight=self.track_weight,
            clip_norm=self.clip_norm,
        )


@dataclass(frozen=True)
class Model:
    """A predictor, as an entry of the registry; its file ends with one."""

    predictor: type
    """Built from its configuration alone, or from nothing if it has no weights."""
    config: type | None = None
    """A frozen dataclass, each field with a default; None for a predictor without weights."""
    recipe: Recipe = Recipe()
    """With the published values."""
    protocol: int = 1
    """Raise it when a change of its code changes what a checkpoint imagines: trials and scores on
    disk are then made anew."""
    multiple: int = 1
    """Sides of its frames must be multiples of this; others are shown to it padded."""
