"""The one fake of a predictor: exact in the dot's world, where an action moves all that is seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from visual_foresight.types import Clip, Prediction, UserError
from visual_foresight.vision.pixel_maps import first_maps, shares


@dataclass(frozen=True)
class DotCarry:
    """The newest frame that was seen, "b c h w", and by how much it moved since, "b 2"."""

    frame: Tensor
    moved_px: Tensor
    pixels: Tensor = field(default_factory=lambda: torch.zeros(1, 0, 2))
    """The designated pixels now, "b p 2"."""


@dataclass(frozen=True)
class Question:
    """What a model was asked to imagine."""

    carry: DotCarry
    actions: Tensor
    decode: bool


class DotModel:
    """Imagines that an action (down, right) moves the picture, and every pixel, by `step_px`.

    At the borders of the frame the picture goes on as it ends there. The model remembers what it
    was given.

    Args:
        step_px: How far one unit of action moves; another number than the world's makes the model
            wrong, 0 makes it the persistence baseline.
        context: How many frames it needs.
        lost: The mass that it says each step loses, 0 after those given.
        diverges: Whether all that it imagines is NaN.
    """

    def __init__(
        self,
        step_px: float = 2.0,
        context: int = 2,
        lost: Sequence[float] = (),
        diverges: bool = False,
    ) -> None:
        self.step_px = step_px
        self.context = context
        self.lost = tuple(lost)
        self.factor = torch.nan if diverges else 1.0
        self.clips: list[Clip] = []
        self.questions: list[Question] = []

    def observe(self, clip: Clip) -> DotCarry:
        assert clip.frames.shape[1] == self.context
        self.clips.append(clip)
        frame = clip.frames[:, -1]
        return DotCarry(frame, frame.new_zeros(len(frame), 2), frame.new_zeros(1, 0, 2))

    def designate(self, carry: DotCarry, pixels: Tensor) -> DotCarry:
        return replace(carry, pixels=pixels)

    def imagine(self, carry: DotCarry, actions: Tensor, decode: bool = False) -> Prediction:
        self.questions.append(Question(carry, actions, decode))
        height, width = carry.frame.shape[-2:]
        moves_px = self.step_px * actions.cumsum(1)
        moved_px = carry.moved_px[:, None] + moves_px
        places = carry.pixels[:, None] + moves_px[:, :, None]
        lost = torch.zeros(places.shape[:3], device=actions.device)
        for step, mass in enumerate(self.lost[: actions.shape[1]]):
            lost[:, step] = mass
        frames = shifted(carry.frame, moved_px if decode else moved_px[:, :0])
        return Prediction(
            frames=frames * self.factor,
            pixel_maps=first_maps(places, (height, width)) * self.factor,
            lost=lost,
            carry=DotCarry(carry.frame, moved_px[:, -1], places[:, -1]),
            frame_size=(height, width),
        )


class FramesOnlyDotModel(DotModel):
    """The same model, which cannot follow pixels."""

    frames_only: Literal[True] = True

    def designate(self, carry: DotCarry, pixels: Tensor) -> DotCarry:
        if pixels.shape[1]:
            raise UserError("frames alone are imagined here")
        return super().designate(carry, pixels)


def shifted(frame: Tensor, moved_px: Tensor) -> Tensor:
    """Return frames "n t c h w": the frame "b c h w" moved (down, right) by "n t 2"."""
    height, width = frame.shape[-2:]
    rows = torch.arange(height, device=frame.device) - moved_px[..., 0, None]
    cols = torch.arange(width, device=frame.device) - moved_px[..., 1, None]
    from_rows = shares(rows, height, height)
    from_cols = shares(cols, width, width)
    frames = frame.expand(len(moved_px), *frame.shape[1:])
    return torch.einsum("ntri,ncij,ntsj->ntcrs", from_rows, frames, from_cols)
